"""SQLite databases, through Python's own sqlite3."""
