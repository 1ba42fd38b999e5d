"""Training runs in flight: where each is heading."""
