"""Files: CSV and Parquet, read and written by DuckDB."""
