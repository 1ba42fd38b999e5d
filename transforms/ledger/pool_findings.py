"""Pools whose GPUs are claimed twice, by the logs of two sources, or are stated nowhere."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.ledger.pool_use_weights import HOUR, pool_capacity
from warehouse.schemas.ledger import PoolFindings

_GPU_SECOND: Final = 1e9
"""Thousandth GPUs × microseconds in a GPU-second."""


def pool_findings(
    pool_uses: pl.DataFrame, billed_hours: pl.DataFrame, pools: pl.DataFrame, training_runs: pl.DataFrame
) -> pl.DataFrame:
    """One pool whose runs of several sources hold more GPUs together than it has, or whose GPUs nothing states.

    Of the first a log names no hosts. In doubt is what exceeds the pool, at most what the smaller sources claim in that
    hour. Where every log names its hosts, staging.run_findings compares them host by host. Runs of one source that
    exceed a pool are no doubt: the bill lacks hours then, and they share it.
    """
    claims = pool_uses.filter(pl.col("user_kind") == "run").join(
        training_runs.select("source", pl.col("hosts").list.len().alias("hosts"), user_id="run_id"), on="user_id"
    )
    by_source = claims.group_by(*HOUR, "source").agg(
        pl.col("weight").cast(pl.Float64).sum().alias("claimed"),
        (pl.col("hosts") == 0).any().alias("is_placeless"),
        pl.col("user_id").n_unique().cast(pl.Int64).alias("rows"),
    )
    by_hour = by_source.sort(*HOUR, "claimed", "source").group_by(HOUR, maintain_order=True).agg(
        pl.col("source").first(),
        pl.col("source").slice(1).sort().str.join(", ").alias("others"),
        pl.col("claimed").sum(),
        pl.col("claimed").max().alias("largest"),
        pl.col("is_placeless").any(),
        pl.col("rows").sum(),
    )  # fmt: skip
    capacity = pool_capacity(billed_hours, pools).with_columns(pl.col("capacity").cast(pl.Float64))
    exceeded = by_hour.filter("is_placeless", pl.col("others") != "").join(capacity, on=HOUR)
    doubtful = pl.min_horizontal(pl.col("claimed") - pl.col("capacity"), pl.col("claimed") - pl.col("largest"))
    excess = exceeded.with_columns((doubtful / _GPU_SECOND).alias("gpu_seconds")).filter(pl.col("gpu_seconds") > 0)
    sums = excess.group_by("source", "others", "pool_id").agg(
        pl.col("gpu_seconds").sum(),
        pl.col("rows").max(),
        pl.col("hour").min().dt.date().alias("day_from"),
        pl.col("hour").max().dt.date().alias("day_to"),
    )
    named = sums.with_columns(
        pl.lit("gpus_claimed_twice").alias("kind"),
        pl.format("runs of {} in pool {}", "source", "pool_id").alias("subject"),
        pl.format("runs of {}", "others").alias("counterpart"),
    )
    every = pl.concat([PoolFindings.frame(named), PoolFindings.frame(_without_gpus(pool_uses, capacity))])
    return every.sort("source", "subject", "counterpart")


def _without_gpus(pool_uses: pl.DataFrame, capacity: pl.DataFrame) -> pl.DataFrame:
    """One pool with users and a bill, of which no hour has a GPU."""
    empty = capacity.group_by("pool_id").agg(pl.col("capacity").sum()).filter(pl.col("capacity") == 0)
    used = pool_uses.filter(pl.col("user_kind") != "idle", "is_billed").group_by("pool_id").agg(
        pl.col("user_id").n_unique().cast(pl.Int64).alias("rows"),
        pl.col("hour").min().dt.date().alias("day_from"),
        pl.col("hour").max().dt.date().alias("day_to"),
    )  # fmt: skip
    users = used.join(empty, on="pool_id", how="semi").rename({"pool_id": "subject"})
    return users.with_columns(kind=pl.lit("pool_without_gpus"), source=pl.lit(""))
