"""Alembic migrations; run by studio.store.migrating, never by hand."""
