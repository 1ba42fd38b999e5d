"""When it runs: Dagster assets, checks, schedules and the command line."""
