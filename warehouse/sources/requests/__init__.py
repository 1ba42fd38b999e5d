"""Request telemetry: one module or family of modules a format."""
