"""Logged values under one name each, whatever the logger calls them."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.staging import TrainingMetrics

NAMES: Final = {
    "loss": ("loss", "train_loss", "train/loss", "training_loss", "lm_loss", "lm loss"),
    "val_loss": ("val_loss", "val/loss", "valid_loss", "validation_loss", "validation/loss", "eval_loss", "eval/loss"),
    "learning_rate": ("learning_rate", "lr", "train/learning_rate", "train/lr"),
    "grad_norm": ("grad_norm", "train/grad_norm", "gradient_norm"),
    "throughput": ("throughput", "tracked_stats.throughput", "train/throughput"),
}
"""Canonical names and what loggers call them, compared without case; any other name stays as it was logged."""


def training_metrics(metric_rows: pl.DataFrame, run_attempts: pl.DataFrame) -> pl.DataFrame:
    """One logged value of one run that is known this night; values that are not finite are null.

    Of ranks of one job the log of the leading one counts. Steps that a later attempt trains again are the later one's.
    """
    canonical = {spelling: name for name, spellings in NAMES.items() for spelling in spellings}
    lowered = pl.col("name").str.strip_chars().str.to_lowercase()
    leading = run_attempts.filter("is_leading").select("source", "logged_run_id", "run_id").unique()
    leading_rows = metric_rows.rename({"run_id": "logged_run_id"}).join(leading, on=["source", "logged_run_id"])
    named = _not_done_again(leading_rows, run_attempts).with_columns(
        pl.coalesce(lowered.replace_strict(canonical, default=None), pl.col("name")).alias("name"),
        pl.when(pl.col("value").is_finite()).then("value").alias("value"),
    )
    return TrainingMetrics.frame(named).unique().sort("run_id", "name", "step", "tokens", "at", "value")


def _not_done_again(metrics: pl.DataFrame, run_attempts: pl.DataFrame) -> pl.DataFrame:
    """The values but for those of a step that an attempt begun after them trained once more."""
    begun = run_attempts.filter(pl.col("held_from").is_not_null()).select(
        "run_id", pl.col("held_from").alias("at"), pl.col("first_step").alias("again_from")
    )
    begins = begun.sort("run_id", "at").with_columns(
        pl.col("again_from").reverse().cum_min().forward_fill().reverse().over("run_id").alias("again_from")
    )
    dated = metrics.filter(pl.col("at").is_not_null(), pl.col("step").is_not_null()).sort("at")
    following = dated.join_asof(
        begins.sort("at"), on="at", by="run_id", strategy="forward", allow_exact_matches=False, check_sortedness=False
    )
    kept = following.filter((pl.col("step") < pl.col("again_from")).fill_null(value=True)).drop("again_from")
    return pl.concat([kept, metrics.filter(pl.col("at").is_null() | pl.col("step").is_null())])
