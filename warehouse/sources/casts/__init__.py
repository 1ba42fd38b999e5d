"""Text becomes typed values: money, times, counts, codes."""
