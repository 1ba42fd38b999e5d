"""Weights that other policies would give to the users of a pool."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import units

HOUR: Final = ("pool_id", "hour")
GPU_HOUR: Final = 3_600_000_000_000
"""One GPU for one hour in thousandth GPU × microseconds."""

MILLIONTHS: Final = 10**6


def hourly_weights(billed_days: pl.DataFrame, pool_uses: pl.DataFrame, training_runs: pl.DataFrame) -> pl.DataFrame:
    """Every billed use with its weight under each policy, as whole numbers."""
    pooled = billed_days.filter("is_pooled")
    chips = training_runs.select(pl.col("run_id").alias("user_id"), pl.col("gpu_model"))
    return (
        pool_uses.filter("is_billed")
        .with_columns(pl.col("weight").to_physical().alias("booked"))
        .join(_node_sizes(pooled), on="pool_id", how="left")
        .join(chips, on="user_id", how="left")
        .join(_chip_prices(pooled), on=["pool_id", "gpu_model"], how="left")
        .with_columns(_idle_with_users(), _provider_weights(), _whole_nodes())
        .with_columns(_rest_of_whole_nodes())
    )


def _idle_with_users() -> pl.Expr:
    """Idle pays nothing in an hour with users."""
    is_idle = pl.col("user_kind") == "idle"
    return pl.when(is_idle & (pl.len().over(HOUR) > 1)).then(0).otherwise("booked").alias("idle_with_users")


def _whole_nodes() -> pl.Expr:
    """The use of an hour rounded up to whole nodes."""
    node = (pl.col("node_gpus").fill_null(1).cast(pl.Int128)) * GPU_HOUR
    return ((pl.col("booked") + node - 1) // node * node).alias("whole_nodes")


def _rest_of_whole_nodes() -> pl.Expr:
    """Idle is what the rounded uses leave of the capacity."""
    is_idle = pl.col("user_kind") == "idle"
    used = pl.when(is_idle).then(0).otherwise("whole_nodes").sum().over(HOUR)
    rest = pl.max_horizontal(pl.col("booked").sum().over(HOUR) - used, 0)
    return pl.when(is_idle).then(rest).otherwise("whole_nodes").alias("whole_nodes")


def _provider_weights() -> pl.Expr:
    """The use times the price of its chip relative to the pool's, in millionths; an unknown chip costs the average."""
    return (pl.col("booked") * pl.col("relative_price").fill_null(MILLIONTHS)).alias("provider_weights")


def _node_sizes(pooled: pl.DataFrame) -> pl.DataFrame:
    """The most GPUs that one unit of a pool's charges stands for."""
    return pooled.drop_nulls("node_gpus").group_by("pool_id").agg(pl.col("node_gpus").max().clip(1))


def _chip_prices(pooled: pl.DataFrame) -> pl.DataFrame:
    """Effective cost of a chip's GPU-hour relative to the average of its pool, in millionths."""
    sums = (
        pooled.filter(pl.col("gpu_model").is_not_null() & pl.col("has_gpu_time"))
        .group_by("pool_id", "gpu_model")
        .agg(units("effective_cost").sum().alias("cost"), units("gpu_hours").sum().alias("hours"))
    )
    cost, hours = pl.col("cost").cast(pl.Float64), pl.col("hours").cast(pl.Float64)
    of_pool = [pl.col(name).sum().over("pool_id").cast(pl.Float64) for name in ("cost", "hours")]
    relative = (cost / hours) / (of_pool[0] / of_pool[1]) * MILLIONTHS
    return sums.select(
        "pool_id", "gpu_model", relative.fill_nan(MILLIONTHS).round().cast(pl.Int128).alias("relative_price")
    )
