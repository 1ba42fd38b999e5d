"""Training logs and schedulers: one module or family of modules a format."""
