"""Steps that were trained twice: what a run did after the point from which another one, or itself, went on."""

from __future__ import annotations

import polars as pl

REPEATED, SUPERSEDED = LOST = ("repeated_steps", "superseded")
"""Causes of what was lost though the run did not fail."""


def lost_parts(training_runs: pl.DataFrame, run_attempts: pl.DataFrame, training_metrics: pl.DataFrame) -> pl.DataFrame:
    """One run of which a part was done again, by a later attempt of it or by a run that names it as its parent; why.

    A run that logged steps 1 to 1000 and is resumed at step 801 has lost its last fifth: `repeated_steps`. One whose
    successor starts at or before its own first step is `superseded` as a whole. Only runs that began after the parent
    had ended are successors; children inside a parent's time are parts of it, or a sweep.
    """
    lost = pl.concat([_lost_to_successors(training_runs, training_metrics), _lost_between_attempts(run_attempts)])
    most = lost.group_by("run_id").agg(lost_ratio=pl.col("lost_ratio").max())
    whole = pl.when(pl.col("lost_ratio") >= 1).then(pl.lit(SUPERSEDED)).otherwise(pl.lit(REPEATED))
    return most.filter(pl.col("lost_ratio") > 0).with_columns(lost_cause=whole)


def _lost_to_successors(training_runs: pl.DataFrame, training_metrics: pl.DataFrame) -> pl.DataFrame:
    """The part of each run that runs which name it as their parent did again."""
    steps = training_metrics.filter(pl.col("step").is_not_null()).group_by("run_id").agg(
        first=pl.col("step").min(), last=pl.col("step").max()
    )  # fmt: skip
    runs = training_runs.select("run_id", "parent_run_id", "started_at", "ended_at").join(steps, on="run_id")
    parents = runs.select(parent_run_id="run_id", parent_ended_at="ended_at", parent_first="first", parent_last="last")
    pairs = runs.join(parents, on="parent_run_id").filter(pl.col("started_at") >= pl.col("parent_ended_at"))
    length = (pl.col("parent_last") - pl.col("parent_first") + 1).cast(pl.Float64)
    repeated = ((pl.col("parent_last") - pl.col("first") + 1) / length).clip(0.0, 1.0)
    return pairs.group_by(run_id="parent_run_id").agg(lost_ratio=repeated.max())


def _lost_between_attempts(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """The part of the time of each run whose steps a later attempt of it trained again.

    Example: an attempt of two hours trains steps 1 to 400, the next of one hour goes on at 201: the second half of the
    first attempt is lost, one hour of three.
    """
    stepped = run_attempts.filter("is_leading", pl.col("first_step") <= pl.col("last_step"))
    ordered = stepped.sort("run_id", "held_from", "attempt").with_columns(
        took=(pl.col("held_to") - pl.col("held_from")).dt.total_microseconds().cast(pl.Float64),
        again=pl.col("first_step").reverse().cum_min().shift().reverse().over("run_id"),
        length=(pl.col("last_step") - pl.col("first_step") + 1).cast(pl.Float64),
    )
    repeated = ((pl.col("last_step") - pl.col("again") + 1) / pl.col("length")).clip(0.0, 1.0).fill_null(0.0)
    sums = ordered.group_by("run_id", maintain_order=True).agg(
        lost=(repeated * pl.col("took")).sum(), took=pl.col("took").sum()
    )
    return sums.filter(pl.col("took") > 0).select("run_id", lost_ratio=pl.col("lost") / pl.col("took"))
