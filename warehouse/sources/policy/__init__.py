"""policy/*.csv: cells, rows, tables, and the faults they can have."""
