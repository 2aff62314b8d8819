"""Database products: what SQLite and PostgreSQL each do in their own way. All else is in `database`."""
