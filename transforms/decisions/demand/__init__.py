"""What is asked of each model: position, draws of demand, shares of tasks."""
