"""The outside world as landed rows: one reader per format, no interpretation."""
