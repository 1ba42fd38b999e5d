"""What serves the demand: pools, deployments, prices, and the limits of the hardware."""
