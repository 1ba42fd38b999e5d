"""Readers of what GPUs did."""
