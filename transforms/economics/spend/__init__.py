"""What each model has cost, by phase, and how the spend lies between the phases."""
