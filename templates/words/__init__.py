"""Every sentence of the report, by topic and code."""
