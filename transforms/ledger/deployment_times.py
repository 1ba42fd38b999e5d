"""When a deployment holds GPUs of a pool: each instant once, however many models it serves."""

from __future__ import annotations

from datetime import timedelta

import polars as pl


def deployment_times(deployments: pl.DataFrame, capacity: pl.DataFrame) -> pl.DataFrame:
    """One stretch of one deployment with one pool and one number of GPUs, within the days whose hours are billed.

    Raises:
        ValueError: rows of one deployment that are valid at one instant and disagree on pool or GPUs.
    """
    hours = capacity.select(
        pl.col("hour").min().dt.truncate("1d").alias("first"),
        (pl.col("hour").max().dt.truncate("1d") + timedelta(days=1)).alias("after"),
    )
    rows = deployments.join(hours, how="cross").with_columns(
        pl.max_horizontal("valid_from", "first").alias("valid_from"),
        pl.min_horizontal("valid_to", "after").alias("valid_to"),
    )
    valid = rows.filter(pl.col("valid_from") < pl.col("valid_to"))
    stretches = _stretches(valid)
    _require_agreement(stretches)
    return stretches.unique(["deployment_id", "valid_from"]).filter(pl.col("pool_id").is_not_null())


def _stretches(valid: pl.DataFrame) -> pl.DataFrame:
    """The rows cut at every instant at which a row of the same deployment begins or ends."""
    edges = (
        pl.concat([valid.select("deployment_id", edge=column) for column in ("valid_from", "valid_to")])
        .unique()
        .sort("deployment_id", "edge")
        .with_columns(pl.col("edge").shift(-1).over("deployment_id").alias("next"))
        .drop_nulls("next")
    )
    return (
        valid.select("deployment_id", "line", "pool_id", "gpu_count", since="valid_from", until="valid_to")
        .join(edges, on="deployment_id")
        .filter((pl.col("since") <= pl.col("edge")) & (pl.col("edge") < pl.col("until")))
        .select("deployment_id", "line", "pool_id", "gpu_count", valid_from="edge", valid_to="next")
    )


def _require_agreement(stretches: pl.DataFrame) -> None:
    at_once = stretches.group_by("deployment_id", "valid_from").agg(
        pl.struct("pool_id", "gpu_count").n_unique().alias("kinds"),
        pl.col("line").min(),
        pl.col("line").max().alias("other"),
    )
    wrong = at_once.filter(pl.col("kinds") > 1).sort("deployment_id", "valid_from")
    if wrong.height:
        row = wrong.row(0, named=True)
        raise ValueError(
            f"policy/deployments.csv lines {row['line']} and {row['other']}: {row['deployment_id']!r} has two "
            f"pools or GPU counts at {row['valid_from']:%Y-%m-%dT%H:%M:%SZ}; rows valid together must agree on both"
        )
