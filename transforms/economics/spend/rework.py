"""Steps that were trained twice: what a run did after the point from which another one went on."""

from __future__ import annotations

import polars as pl

REPEATED, SUPERSEDED = LOST = ("repeated_steps", "superseded")
"""Causes of what was lost though the run did not fail."""


def lost_parts(training_runs: pl.DataFrame, training_metrics: pl.DataFrame) -> pl.DataFrame:
    """One run that a later one names as its parent and continues: the part of it that was done again, and why.

    A run that logged steps 1 to 1000 and is resumed at step 801 has lost its last fifth: `repeated_steps`. One whose
    successor starts at or before its own first step is `superseded` as a whole. Only runs that began after the parent
    had ended are successors; children inside a parent's time are parts of it, or a sweep.
    """
    steps = training_metrics.filter(pl.col("step").is_not_null()).group_by("run_id").agg(
        first=pl.col("step").min(), last=pl.col("step").max()
    )  # fmt: skip
    runs = training_runs.select("run_id", "parent_run_id", "started_at", "ended_at").join(steps, on="run_id")
    parents = runs.select(parent_run_id="run_id", parent_ended_at="ended_at", parent_first="first", parent_last="last")
    pairs = runs.join(parents, on="parent_run_id").filter(pl.col("started_at") >= pl.col("parent_ended_at"))
    length = (pl.col("parent_last") - pl.col("parent_first") + 1).cast(pl.Float64)
    repeated = ((pl.col("parent_last") - pl.col("first") + 1) / length).clip(0.0, 1.0)
    lost = pairs.group_by(run_id="parent_run_id").agg(lost_ratio=repeated.max())
    whole = pl.when(pl.col("lost_ratio") >= 1).then(pl.lit(SUPERSEDED)).otherwise(pl.lit(REPEATED))
    return lost.filter(pl.col("lost_ratio") > 0).with_columns(lost_cause=whole)
