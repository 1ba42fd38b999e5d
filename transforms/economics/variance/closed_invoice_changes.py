"""Invoiced periods that changed after they were published as closed, and not by a row of class Correction."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import units

GROUP: Final = ("source", "billing_period_start", "invoice_id", "currency")


def last_published(published_periods: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One invoiced period as the last night before this one reported it after the period was over.

    Columns `last_…` are counts of 10⁻¹²; an invoice without a name and a period that was still open are not closed.
    """
    is_closed = (pl.col("invoice_id") != "") & (pl.col("night") >= _month_after("billing_period_start"))
    before = published_periods.filter(is_closed & (pl.col("night") < settings["as_of"].item()))
    latest = before.sort("night").unique(GROUP, keep="last", maintain_order=True)
    return latest.select(
        *GROUP,
        pl.col("night").alias("last_night"),
        units("billed_cost").alias("last_billed_cost"),
        units("correction_billed_cost").alias("last_correction"),
    )


def change(billed: int, correction: int, last_billed: int, last_correction: int) -> int:
    """What the billed cost of a period changed by since it was published, apart from rows of class Correction."""
    return (billed - correction) - (last_billed - last_correction)


def _month_after(column: str) -> pl.Expr:
    return pl.col(column).dt.offset_by("1mo")
