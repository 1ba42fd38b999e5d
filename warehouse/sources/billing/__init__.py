"""Bills: one module a format, and the control totals of a second reader."""
