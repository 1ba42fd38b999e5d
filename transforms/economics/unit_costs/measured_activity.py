"""How much of the time the GPUs that served a model worked, as DCGM measured it."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.months import clipped, night_month
from transforms.economics.sums import gpu_time

_CELL: Final = ("month", "model_id")
_POOL: Final = ("month", "pool_id")
_MEASURES: Final = ("activity_ratio", "activity_gpu_hours")


def measured_activity(gpu_activity: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One month of one model: `activity_ratio`, and `activity_gpu_hours`, the GPU time that was measured for it.

    The model's own GPUs where rules say whose they are; else the GPUs of the pools it served in, by the time it used of
    each. An hour without a mean is not measured, and a GPU that two sources measure is measured once.
    """
    month = pl.col("hour").dt.date().dt.truncate("1mo").alias("month")
    hours = (
        gpu_activity.filter(pl.col("activity_ratio").is_not_null())
        .sort("source")
        .unique(["gpu", "hour", "namespace", "pod"], keep="first", maintain_order=True)
        .with_columns(month)
        .with_columns(clipped(night_month(settings)))
    )
    own = _means(hours.drop_nulls("model_id"), _CELL)
    pooled = _of_pools(_means(hours.drop_nulls("pool_id"), _POOL), daily_spend, settings)
    return pl.concat([own, pooled.join(own, on=_CELL, how="anti")]).select(*_CELL, *_MEASURES)


def _means(hours: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """The mean of some GPU hours, each by the part of the hour that was held."""
    whole = pl.col("gpu_hours").sum()
    mean = (pl.col("activity_ratio") * pl.col("gpu_hours")).sum() / whole
    return (
        hours.sort("hour", "gpu").group_by(*key, maintain_order=True).agg(activity_ratio=mean, activity_gpu_hours=whole)
    )


def _of_pools(pools: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Each model by the pools in which it served, each by the GPU time it used there."""
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    serving = daily_spend.filter(
        pl.col("account") == "direct", pl.col("phase") == "inference", pl.col("gpu_seconds") > 0
    ).with_columns(month)
    used = serving.with_columns(clipped(night_month(settings))).group_by(*_POOL, "model_id").agg(gpu_time())
    weighted = (pl.col("activity_ratio") * pl.col("gpu_seconds")).sum() / pl.col("gpu_seconds").sum()
    joined = used.drop_nulls("model_id").join(pools, on=_POOL).sort(*_POOL, "model_id")
    return joined.group_by(_CELL, maintain_order=True).agg(
        activity_ratio=weighted, activity_gpu_hours=pl.col("activity_gpu_hours").sum()
    )
