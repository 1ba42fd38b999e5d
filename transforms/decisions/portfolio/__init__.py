"""Actions valued, chosen together, recommended, and followed up."""
