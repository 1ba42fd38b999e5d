"""What each model is used for."""

from __future__ import annotations

import polars as pl

from transforms.task_mix import recent_shares
from warehouse.schemas.decisions import TaskShares


def task_shares(settings: pl.DataFrame, task_days: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: its share of the model's weighted tokens of the last four weeks, and how steady it is.

    The ledger splits a model's inference by the same weights, so the share of tokens is the share of cost.
    """
    as_of = settings.item(0, "as_of")
    shares = recent_shares(task_days.with_columns(weight="weighted_tokens_milli"), as_of)
    return TaskShares.frame(shares.with_columns(as_of=pl.lit(as_of)).sort("model_id", "task", nulls_last=True))
