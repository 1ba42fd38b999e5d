"""`trisect ui`: Dagster's web app behind its guard, and the daemon that runs schedules and sensors."""
