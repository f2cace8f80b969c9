"""Alembic's entry: migrates over the connection that studio.store.migrating hands it, in its transaction."""

from __future__ import annotations

from alembic import context

from studio.store import schema

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=schema.metadata, render_as_batch=True, transactional_ddl=False
)
context.run_migrations()
