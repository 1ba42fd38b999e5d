"""Bytes become rows of text: compression, CSV, JSON, Parquet, and buffers that spill to disk."""
