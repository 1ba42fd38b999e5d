"""What charges, runs and usage must fulfil; each function returns the rows that break it."""

from __future__ import annotations

from typing import Final

import polars as pl

LARGEST_TOTAL: Final = 10.0**25
"""Totals are kept a factor of ten below what 128 bits hold, because a sum that overflows wraps silently."""


def bill_rows_in_no_unit(charge_rows: pl.DataFrame, bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """One accepted row of a bill that no delivery lists, so that it would be lost without a word."""
    unit = ["source", "file_sha256", "account", "billing_period_start"]
    rows = charge_rows.with_columns(pl.col("billing_account_id").fill_null("").alias("account"))
    units = bill_deliveries.rename({"billing_account_id": "account"}).select(unit).unique()
    return rows.join(units, on=unit, how="anti")


def totals_too_large(charges: pl.DataFrame) -> pl.DataFrame:
    """One source and currency whose absolute costs add up to more than a total can hold."""
    sizes = charges.group_by("source", "currency").agg(
        pl.col(cost).cast(pl.Float64).abs().sum() for cost in ("billed_cost", "effective_cost")
    )
    return sizes.filter(pl.max_horizontal("billed_cost", "effective_cost") > LARGEST_TOTAL)


def runs_that_end_before_they_start(training_runs: pl.DataFrame) -> pl.DataFrame:
    """One run whose last moment lies before its first."""
    return training_runs.filter((pl.col("ended_at") < pl.col("started_at")) | (pl.col("held_to") < pl.col("held_from")))


def workloads_measured_twice(workload_uses: pl.DataFrame) -> pl.DataFrame:
    """One window of a workload that another of its windows overlaps: its GPUs would be counted twice."""
    before = pl.col("ended_at").cum_max().shift().over("source", "workload")
    ordered = workload_uses.sort("source", "workload", "started_at", "ended_at")
    return ordered.filter((pl.col("started_at") < before).fill_null(value=False))
