"""Raw rows become charges, runs and served tokens, each once and in one vocabulary."""
