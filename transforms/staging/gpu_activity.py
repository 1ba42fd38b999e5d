"""How much of each hour GPUs worked, and for whom: measurements of one GPU become a mean of its hour."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.attribution import first_rules
from transforms.periods import is_open
from warehouse.schemas.staging import GpuActivity

FIELDS: Final = ("namespace", "pod", "host")
_GPU: Final = ("source", "gpu", "hour")
_HOLDER: Final = (*_GPU, "namespace", "pod")
_LEAST_SHARE: Final = 2
"""One in so many of the usual scrapes has to be there: else the mean would be of another hour than this one."""


def gpu_activity(
    gpu_samples: pl.DataFrame, attribution: pl.DataFrame, deployments: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One GPU, hour and pod with its mean activity; unknown, never 0, where under half of its scrapes came.

    The activity of the engines counts; where a GPU has none in an hour, the share of time in which a kernel ran. Usual
    are as many scrapes as came in the fullest hour of the GPU's day. Several pods of one GPU share its hour by scrapes.
    """
    hour = pl.col("sampled_at").dt.truncate("1h").alias("hour")
    begun = gpu_samples.filter(pl.col("sampled_at") < settings["night_end"].item()).with_columns(hour)
    key = [*_HOLDER, "metric", "sampled_at"]
    once = begun.sort("file_sha256", "location").unique(key, keep="first", maintain_order=True)
    is_engine = pl.col("metric") == "engine_activity"
    working = once.filter(pl.col("metric") != "memory_used")
    working = working.filter(is_engine == is_engine.any().over(_GPU))
    memory = (
        once.filter(pl.col("metric") == "memory_used").group_by(_HOLDER).agg(memory_used_mib=pl.col("value").mean())
    )
    rows = (
        working.group_by(_HOLDER)
        .agg(
            pl.col("host", "gpu_model", "gpus").sort_by("sampled_at", "location").first(),
            pl.col("value").mean().alias("activity_ratio"),
            pl.len().alias("samples"),
        )
        .join(_known_hours(working), on=_GPU)
        .join(memory, on=_HOLDER, how="left", nulls_equal=True)
        .with_columns(
            gpu_hours=pl.col("gpus") * pl.col("samples") / pl.col("samples").sum().over(_GPU),
            activity_ratio=pl.when("is_known").then("activity_ratio"),
        )
    )
    return GpuActivity.frame(_attributed(rows, attribution, deployments)).sort(_HOLDER)


def _known_hours(working: pl.DataFrame) -> pl.DataFrame:
    """Each hour of a GPU with its scrapes, and whether they are enough for a mean."""
    hours = working.group_by(_GPU).agg(pl.col("sampled_at").n_unique().alias("scrapes"), pl.col("is_hourly").any())
    usual = pl.col("scrapes").max().over("source", "gpu", pl.col("hour").dt.date())
    return hours.with_columns(is_known=pl.col("is_hourly") | (pl.col("scrapes") * _LEAST_SHARE >= usual))


def _attributed(rows: pl.DataFrame, attribution: pl.DataFrame, deployments: pl.DataFrame) -> pl.DataFrame:
    """The rows with the deployment and model of the first rule for either, and the pool of the first rule for pools."""
    holders = rows.with_row_index("subject")
    keys = [pl.col("subject"), pl.col("source"), pl.col("hour").dt.date().alias("day")]
    named = [*((name, name) for name in FIELDS), ("deployment", "pod")]
    fields = pl.concat(
        holders.select(*keys, pl.lit(field).alias("field"), pl.col(name).alias("value")) for field, name in named
    )
    pools = first_rules(fields, attribution.filter(pl.col("target") == "pool"))
    uses = first_rules(fields, attribution.filter(pl.col("target").is_in(["deployment", "model"])))
    served = (
        holders.join(uses.filter(pl.col("target") == "deployment"), on="subject")
        .select("subject", "hour", deployment_id="target_id")
        .join(deployments, on="deployment_id", how="left")
        .filter(is_open(pl.col("hour")))
        .unique("subject", keep="first", maintain_order=True)
        .select("subject", "deployment_id", served_model_id="model_id", served_pool_id="pool_id")
    )
    direct = uses.filter(pl.col("target") == "model").select("subject", ruled_model_id="target_id")
    return (
        holders.join(served, on="subject", how="left")
        .join(direct, on="subject", how="left")
        .join(pools.select("subject", ruled_pool_id="target_id"), on="subject", how="left")
        .with_columns(
            model_id=pl.coalesce("served_model_id", "ruled_model_id"),
            pool_id=pl.coalesce("ruled_pool_id", "served_pool_id"),
        )
    )
