"""What it means: pure Polars, frames in, frames out."""
