"""Postings become what a model costs over its life."""
