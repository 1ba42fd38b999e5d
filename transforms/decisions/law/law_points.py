"""The company's own runs as points of a scaling law."""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

from warehouse.schemas.decisions import LawPoints

LEAST_RUNS: Final = 20
LEAST_SPAN: Final = 10.0


def law_points(training_runs: pl.DataFrame, training_metrics: pl.DataFrame) -> pl.DataFrame:
    """One finished pre-training run whose size, data and final loss are known.

    Losses are only comparable under one name: where enough runs log a validation loss, theirs is taken, else the
    final loss of the runs. Runs of other phases see other data and are no points.
    """
    runs = training_runs.filter(
        pl.col("status") == "finished", pl.col("phase").is_null() | (pl.col("phase") == "pretraining")
    )
    runs = runs.with_columns(pl.coalesce("active_params", "params").alias("params"), pl.col("final_loss").alias("loss"))
    validated = runs.drop("loss").join(_last_losses(training_metrics, "val_loss"), on="run_id")
    is_enough = _usable(validated.with_columns(pl.lit("").alias("loss_name"))).height >= LEAST_RUNS
    chosen, name = (validated, "val_loss") if is_enough else (runs, "final_loss")
    return LawPoints.frame(_usable(chosen.with_columns(pl.lit(name).alias("loss_name"))).sort("run_id"))


def _usable(runs: pl.DataFrame) -> pl.DataFrame:
    return runs.filter(*(pl.col(name).is_finite() & (pl.col(name) > 0) for name in ("params", "tokens", "loss")))


def _last_losses(training_metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """One run and its last finite value of one metric."""
    logged = training_metrics.filter(pl.col("name") == name, pl.col("value").is_finite())
    latest = logged.sort("run_id", "tokens", "step", "at", "value", nulls_last=False)
    return latest.group_by("run_id", maintain_order=True).agg(pl.col("value").last().alias("loss"))


def digest(points: pl.DataFrame) -> str:
    """The same text for the same points, in whatever order and from whatever runs."""
    rows = points.select("params", "tokens", "loss").sort("params", "tokens", "loss").rows()
    return hashlib.sha256("\n".join(" ".join(value.hex() for value in row) for row in rows).encode()).hexdigest()


def shortfall(points: pl.DataFrame) -> str:
    """What an own law still needs; empty where the runs suffice."""
    count, size, tokens_per_param = _spans(points)
    if count >= LEAST_RUNS and size >= LEAST_SPAN and tokens_per_param >= LEAST_SPAN:
        return ""
    return (
        f"{count} of at least {LEAST_RUNS} finished pre-training runs with params, tokens and a loss; sizes span "
        f"{size:.3g}× and tokens per parameter {tokens_per_param:.3g}× of at least {LEAST_SPAN:.0f}×"
    )


def _spans(points: pl.DataFrame) -> tuple[int, float, float]:
    """Runs, largest over smallest size, and the same of tokens per parameter."""
    size, per_param = pl.col("params"), pl.col("tokens") / pl.col("params")
    spans = points.select((size.max() / size.min()).alias("size"), (per_param.max() / per_param.min()).alias("data"))
    return points.height, spans.item(0, "size") or 0.0, spans.item(0, "data") or 0.0
