"""One function per figure; each takes values that are ready to print and returns an SVG with its alternative text."""
