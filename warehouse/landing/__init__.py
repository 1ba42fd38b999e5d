"""The inbox becomes raw tables: arrivals, duplicates, supersession, and the account of every row."""
