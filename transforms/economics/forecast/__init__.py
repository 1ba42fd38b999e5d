"""What will be served and spent, how far off such forecasts were, and what is planned."""
