"""Scaling laws, fits and draws, and what they say of other sizes."""
