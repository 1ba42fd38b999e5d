"""Requests below var/landed as Parquet, and their reduction to hours."""
