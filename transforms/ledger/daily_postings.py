"""Postings added up over the charges of a day, so that no table after the ledger reads every posting."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import amount, divided, units
from warehouse.schemas.ledger import BookedDays

KEY: Final = (
    "charge_day", "charge_date", "source", "billing_period_start", "invoice_id", "account", "model_id", "phase",
    "run_id", "deployment_id", "pool_id", "team", "tenant", "task", "is_waste", "currency",
)  # fmt: skip
COSTS: Final = ("billed_cost", "effective_cost")
MICROSECONDS: Final = 1_000_000


def booked_days(postings: pl.DataFrame) -> pl.DataFrame:
    """One day's charges in one place; GPU time is added in whole microseconds, so that no order of rows shows."""
    microseconds = (pl.col("gpu_seconds") * MICROSECONDS).round().cast(pl.Int64)
    sums = postings.group_by(KEY).agg(microseconds.sum().alias("microseconds"), *(units(cost).sum() for cost in COSTS))
    seconds = divided(pl.col("microseconds"), MICROSECONDS).alias("gpu_seconds")
    return BookedDays.frame(sums.with_columns(seconds, *(amount(cost) for cost in COSTS))).sort(KEY, nulls_last=True)
