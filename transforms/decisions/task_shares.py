"""What each model is used for."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.decisions.demand import served
from warehouse.schemas.decisions import TaskShares

_WEEK_DAYS: Final = 7
_RECENT_DAYS: Final = 28


def task_shares(settings: pl.DataFrame, token_usage: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: its share of the model's weighted tokens of the last four weeks, and how steady it is.

    The ledger splits a model's inference by the same weights, so the share of tokens is the share of cost.
    """
    as_of = settings.item(0, "as_of")
    age = (pl.lit(as_of) - pl.col("date")).dt.total_days()
    recent = served(token_usage).filter(age >= 0, age < _RECENT_DAYS).with_columns((age // _WEEK_DAYS).alias("week"))
    totals = recent.group_by("model_id").agg(
        pl.col("weight").sum().alias("all"), pl.col("week").n_unique().alias("weeks")
    )
    shares = (
        recent.group_by("model_id", "task")
        .agg(pl.col("tokens").sum(), pl.col("weight").sum())
        .join(totals, on="model_id")
        .join(_spread(recent), on=["model_id", "task"], how="left", nulls_equal=True)
        .filter(pl.col("all") > 0)
        .with_columns(pl.lit(as_of).alias("as_of"), (pl.col("weight") / pl.col("all")).alias("share_ratio"))
        .with_columns(pl.col("share_sigma").fill_null(pl.col("share_ratio") / 2))
    )
    return TaskShares.frame(shares.sort("model_id", "task", nulls_last=True))


def _spread(recent: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: standard deviation of its weekly share; weeks without the task count as none."""
    weekly = recent.group_by("model_id", "week").agg(pl.col("weight").sum().alias("all")).filter(pl.col("all") > 0)
    tasks = recent.select("model_id", "task").unique()
    weights = recent.group_by("model_id", "task", "week").agg(pl.col("weight").sum())
    return (
        tasks.join(weekly, on="model_id")
        .join(weights, on=["model_id", "task", "week"], how="left", nulls_equal=True)
        .sort("model_id", "task", "week", nulls_last=True)
        .with_columns((pl.col("weight").fill_null(0) / pl.col("all")).alias("share"))
        .group_by("model_id", "task", maintain_order=True)
        .agg(pl.col("share").std().alias("share_sigma"))
    )
