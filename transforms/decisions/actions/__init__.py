"""One module an action: what it changes and what it needs."""
