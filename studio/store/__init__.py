"""Everything remembered: one SQLite file with its tables, repositories, migrations and backups."""
