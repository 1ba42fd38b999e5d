"""Attempts become runs: what each held in all, how far it came and how it ended."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.staging import TrainingRuns

_FIRST_STATED: Final = (
    *("parent_run_id", "run_name", "project", "cluster", "gpu_model", "final_loss"),
    *("pool_id", "model_id", "phase", "team"),
)


def training_runs(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """One training run over all its attempts; GPU time adds up, steps and tokens go on from attempt to attempt.

    What a run is called comes from the log that leads it; times, GPUs and how it ended from the attempts that held
    GPUs, so that a scheduler's account of a job wins over the tracker's.
    """
    by_precedence = run_attempts.sort(
        "run_id", ~pl.col("is_leading"), -pl.col("steps").fill_null(-1), "held_to", "attempt", maintain_order=True
    )
    names = by_precedence.group_by("run_id", maintain_order=True).agg(
        pl.col("source").first(),
        pl.col("params", "active_params", "tokens", "steps").max(),
        *(pl.col(name).drop_nulls().first() for name in _FIRST_STATED),
    )  # fmt: skip
    holds = (pl.col("gpu_count") > 0).fill_null(value=False)
    has_holder = holds.any().over("run_id")
    timed = run_attempts.filter(holds | ~has_holder).sort("run_id", "held_to", "attempt", nulls_last=False)
    last = pl.col("ended_at").fill_null(strategy="forward").over("run_id")
    courses = timed.with_columns(last.alias("ended_at")).group_by("run_id", maintain_order=True).agg(
        pl.col("hosts").explode().drop_nulls().unique(maintain_order=True),
        pl.col("started_at", "held_from").min(),
        pl.col("ended_at", "held_to").max(),
        pl.col("end_source", "status").last(),
        pl.when(pl.col("gpu_seconds").is_not_null().any()).then(pl.col("gpu_seconds").sum()).alias("gpu_seconds"),
        pl.len().alias("attempts"),
        pl.col("gpu_count").max().alias("gpus_of_one"),
    )  # fmt: skip
    runs = names.join(courses, on="run_id").join(_most_gpus(timed), on="run_id", how="left")
    most = pl.max_horizontal("gpus_of_one", "gpus_together")
    return TrainingRuns.frame(runs.with_columns(most.alias("gpu_count"))).sort("run_id")


def _most_gpus(attempts: pl.DataFrame) -> pl.DataFrame:
    """One run and the most GPUs that its attempts held together at one time."""
    holding = attempts.filter(pl.col("gpu_count") > 0, pl.col("held_from") < pl.col("held_to"))
    ends = [
        holding.select("run_id", pl.col("held_from").alias("at"), pl.col("gpu_count").alias("change")),
        holding.select("run_id", pl.col("held_to").alias("at"), -pl.col("gpu_count").alias("change")),
    ]
    changes = pl.concat(ends).sort("run_id", "at", "change")
    held = changes.with_columns(pl.col("change").cum_sum().over("run_id").alias("held"))
    return held.group_by("run_id").agg(pl.col("held").max().alias("gpus_together"))
