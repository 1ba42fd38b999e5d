"""What the night's scaling law says about each own model as it is."""
