"""SQL steps, run by DuckDB."""
