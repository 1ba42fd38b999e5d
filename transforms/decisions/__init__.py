"""Costs and demand become decisions, valued in dollars with a range."""
