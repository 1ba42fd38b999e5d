"""What each task has lately been of what its model serves, week by week."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

_WEEK_DAYS: Final = 7
_RECENT: Final = timedelta(days=28)


def recent_shares(served: pl.DataFrame, seen_to: date) -> pl.DataFrame:
    """One task of one model: share of the model's `weight` in the four weeks to a day, and how far its weeks stray.

    `served` has whole numbers of tokens and weight by day, model and task, in any number of rows. Weeks count where the
    model served; one week alone says nothing of the spread, which is taken to be half the share.
    """
    recent = served.filter(pl.col("day").is_between(seen_to - _RECENT, seen_to, closed="right"))
    week = (pl.lit(seen_to) - pl.col("day")).dt.total_days() // _WEEK_DAYS
    weekly = recent.group_by("model_id", "task", week=week).agg(pl.col("tokens", "weight").sum())
    models = weekly.group_by("model_id").agg(pl.col("weight").sum().alias("all"), weeks=pl.col("week").n_unique())
    return (
        weekly.group_by("model_id", "task")
        .agg(pl.col("tokens", "weight").sum())
        .join(models.filter(pl.col("all") > 0), on="model_id")
        .join(_spread(weekly), on=["model_id", "task"], how="left", nulls_equal=True)
        .with_columns(share_ratio=pl.col("weight") / pl.col("all"))
        .with_columns(pl.col("share_sigma").fill_null(pl.col("share_ratio") / 2))
        .drop("all")
    )


def _spread(weekly: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: standard deviation of its weekly share; weeks without the task count as none."""
    models = weekly.group_by("model_id", "week").agg(pl.col("weight").sum().alias("all")).filter(pl.col("all") > 0)
    tasks = weekly.select("model_id", "task").unique()
    return (
        tasks.join(models, on="model_id")
        .join(weekly, on=["model_id", "task", "week"], how="left", nulls_equal=True)
        .sort("model_id", "task", "week", nulls_last=True)
        .with_columns((pl.col("weight").fill_null(0) / pl.col("all")).alias("share"))
        .group_by("model_id", "task", maintain_order=True)
        .agg(pl.col("share").std().alias("share_sigma"))
    )
