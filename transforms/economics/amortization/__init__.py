"""Training cost over the life of a model: schedules, additions, restatements, estimates."""
