"""A project directory to begin with: empty, or with a small invented company in real formats."""

from warehouse.sample.project import write_empty, write_sample

__all__ = ["write_empty", "write_sample"]
