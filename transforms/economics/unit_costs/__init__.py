"""What a million tokens, or one unit, costs."""
