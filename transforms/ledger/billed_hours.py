"""The hours that charges of a pool or deployment touch, and the GPU time they bring into each."""

from __future__ import annotations

import polars as pl

from transforms.money import split
from transforms.periods import cut
from warehouse.schemas.ledger import BilledHours
from warehouse.schemas.names import ACCRUAL

KEY = ["charge_day", "method", "target_id", "hour", "is_accrued"]
SPAN = ["charge_day", "method", "target_id", "is_accrued", "charge_start", "charge_end", "gpu_time"]


def gpu_time(column: str) -> pl.Expr:
    """GPU-hours as whole thousandth GPU × microseconds, half up: hours · 3.6·10¹², from a count of 10⁻¹² hours."""
    return (pl.col(column).to_physical() * 36 + 5) // 10


def billed_hours(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    """One hour of one pool or deployment that charges of one day touch; equal charges are cut once."""
    targets = charge_rules.filter(pl.col("method") != "whole").select(
        "charge_id", "method", pl.coalesce("pool_id", "deployment_id").alias("target_id")
    )
    spans = (
        charges.join(targets, on="charge_id")
        .with_columns(gpu_time("gpu_hours_exact").alias("gpu_time"), (pl.col("source") == ACCRUAL).alias("is_accrued"))
        .group_by(SPAN)
        .len("charges")
        .with_row_index("span")
    )
    hours = cut(spans, "hour", start="charge_start", end="charge_end").rename({"bucket": "hour"})
    shared = split(hours, group="span", weight="microseconds", amounts=["gpu_time"])
    sums = shared.group_by(KEY).agg((pl.col("gpu_time") * pl.col("charges")).sum())
    return BilledHours.frame(sums.with_columns(pl.col("gpu_time").reinterpret(dtype=pl.Decimal(38, 0)))).sort(KEY)
