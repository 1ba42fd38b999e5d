"""What charges, runs and usage must fulfil; each function returns the rows that break it."""

from __future__ import annotations

import polars as pl


def bill_rows_in_no_unit(delivered_days: pl.DataFrame) -> pl.DataFrame:
    """One day of accepted rows of a bill that no delivery lists, so that they would be lost without a word."""
    return delivered_days.filter(pl.col("is_current").is_null())


def runs_that_end_before_they_start(training_runs: pl.DataFrame) -> pl.DataFrame:
    """One run whose last moment lies before its first."""
    return training_runs.filter((pl.col("ended_at") < pl.col("started_at")) | (pl.col("held_to") < pl.col("held_from")))


def workloads_measured_twice(workload_uses: pl.DataFrame) -> pl.DataFrame:
    """One window of a workload that another of its windows overlaps: its GPUs would be counted twice."""
    before = pl.col("ended_at").cum_max().shift().over("source", "workload")
    ordered = workload_uses.sort("source", "workload", "started_at", "ended_at")
    return ordered.filter((pl.col("started_at") < before).fill_null(value=False))
