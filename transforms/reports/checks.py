"""What holds a night though its ledger is right: an invoice that does not tie out, and too much that is in doubt."""

from __future__ import annotations

import polars as pl


def mismatched_invoices(findings: pl.DataFrame) -> pl.DataFrame:
    """One invoice that states another total than its charges add up to, beyond its tolerance, and is not accepted."""
    return findings.filter((pl.col("kind") == "invoice_mismatch") & ~pl.col("is_accepted"))


def too_much_doubt(doubtful_shares: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One source, month and quantity of which findings put more in doubt than the settings allow."""
    allowed = settings["max_doubtful_ratio"].item() * pl.col("total")
    return doubtful_shares.filter(pl.col("doubtful") > allowed).sort("doubtful", descending=True)
