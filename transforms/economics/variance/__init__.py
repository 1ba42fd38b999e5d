"""Differences and their causes: month over month, against the plan, against the invoice."""
