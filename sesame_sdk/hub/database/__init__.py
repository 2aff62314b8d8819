"""Engine, tables, the single writer, and what differs between SQLite and PostgreSQL."""
