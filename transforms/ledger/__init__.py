"""Charges become postings: who pays what, to the last decimal."""
