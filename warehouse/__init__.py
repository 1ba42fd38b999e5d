"""What is stored: schemas, readers, landing, the DuckDB file and the published nights."""
