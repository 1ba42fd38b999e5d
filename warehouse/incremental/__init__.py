"""Which days of a table are stale and why: plan, fingerprints, dependencies."""
