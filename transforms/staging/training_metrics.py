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


def training_metrics(metric_rows: pl.DataFrame, training_runs: pl.DataFrame) -> pl.DataFrame:
    """One logged value of one run that is known this night; values that are not finite are null."""
    canonical = {spelling: name for name, spellings in NAMES.items() for spelling in spellings}
    lowered = pl.col("name").str.strip_chars().str.to_lowercase()
    known = metric_rows.join(training_runs.select("run_id"), on="run_id", how="semi")
    named = known.with_columns(
        pl.coalesce(lowered.replace_strict(canonical, default=None), pl.col("name")).alias("name"),
        pl.when(pl.col("value").is_finite()).then("value").alias("value"),
    )
    return TrainingMetrics.frame(named).unique().sort("run_id", "name", "step", "tokens", "at", "value")
