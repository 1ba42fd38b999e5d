"""The GPU time that a pool offers in an hour: what the bill says, unless policy states it."""

from __future__ import annotations

import polars as pl

from transforms.money import split
from transforms.periods import MICROSECONDS, cut, is_open


def gpu_time(column: str) -> pl.Expr:
    """GPU-hours as whole thousandth GPU × microseconds, half up: hours · 3.6·10¹², of a count of 10⁻¹² hours."""
    return (pl.col(column).to_physical() * 36 + 5) // 10


def capacities(charges: pl.DataFrame, charge_rules: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """One pool and hour that a charge of the pool touches, with its `capacity` in thousandth GPU × microseconds."""
    pooled = charge_rules.filter(pl.col("method") == "pool").select("charge_id", "pool_id")
    spans = (
        charges.select("charge_id", "charge_start", "charge_end", gpu_time("gpu_hours_exact").alias("capacity"))
        .join(pooled, on="charge_id")
        .group_by("pool_id", "charge_start", "charge_end", "capacity")
        .len("charges")
        .with_row_index("span")
    )
    hours = cut(spans, "hour", start="charge_start", end="charge_end")
    billed = (
        split(hours, group="span", weight="microseconds", amounts=["capacity"])
        .group_by("pool_id", pl.col("bucket").alias("hour"))
        .agg((pl.col("capacity") * pl.col("charges")).sum())
    )
    return _stated(billed, pools)


def _stated(billed: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """Capacity of policy.pools where it has a row for the pool and date."""
    milli = (pl.col("gpu_count") * 1000 + 0.5).floor().cast(pl.Int128)
    stated = (
        billed.select("pool_id", "hour")
        .join(pools, on="pool_id")
        .filter(is_open(pl.col("hour").dt.date()))
        .group_by("pool_id", "hour")
        .agg((milli * MICROSECONDS["hour"]).sum().alias("stated"))
    )
    return billed.join(stated, on=["pool_id", "hour"], how="left").select(
        "pool_id", "hour", pl.coalesce("stated", "capacity").alias("capacity")
    )
