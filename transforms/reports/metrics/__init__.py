"""Every number that the report refers to, page by page, with the query that returns it."""
