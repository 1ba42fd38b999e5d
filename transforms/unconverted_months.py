"""Currencies of bills without a rate, as they are told before a ledger is made."""

from __future__ import annotations

import polars as pl

from transforms.economics.conversion import rates


def unconverted_months(billed_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One `currency`, `month` and `source` with a cost in it that fx.csv has no rate for."""
    costs = pl.any_horizontal(pl.col("billed_cost", "effective_cost") != 0)
    foreign = billed_days.filter(costs & (pl.col("currency") != settings["currency"].item()))
    months = foreign.select("currency", pl.col("charge_day").dt.truncate("1mo").alias("month"), "source").unique()
    return months.join(rates(fx), on=["month", "currency"], how="anti").sort("currency", "month", "source")
