"""Raw tables that are gathered from later stages: the findings of the night."""
