"""What bought nothing, by cause: runs that failed or were done again, and capacity that nobody used."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.spend.rework import lost_parts
from transforms.economics.sums import gpu_time
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import Goodput, RunSpend, Waste
from warehouse.vocabulary import IDLE_ACCOUNTS

_PARTS: Final = 10**9
_FAILURES: Final = ("failed", "cancelled", "timeout")
_CELL: Final = ("month", "cause", "model_id", "phase", "pool_id")


def run_spend(
    monthly_spend: pl.DataFrame,
    training_runs: pl.DataFrame,
    run_attempts: pl.DataFrame,
    training_metrics: pl.DataFrame,
) -> pl.DataFrame:
    """One month of one training run: what it cost, and how much of that bought nothing.

    All of a run that failed, was cancelled or ran out of time (a cancelled child of a sweep is an abandoned sweep). Of
    a run that is resumed, by itself or by one that names it as its parent: the steps done twice; all of it where the
    other starts over.
    """
    paid = monthly_spend.filter(pl.col("run_id").is_not_null()).group_by("month", "run_id").agg(
        gpu_time(),
        pl.col("effective_usd").sum(),
        pl.col("is_waste").any(),
        *(pl.col(name).drop_nulls().min() for name in ("model_id", "phase", "pool_id")),
    )  # fmt: skip
    logged = training_runs.select("run_id", "run_name", "status", "parent_run_id")
    rows = (
        paid.join(logged, on="run_id", how="left")
        .join(lost_parts(training_runs, run_attempts, training_metrics), on="run_id", how="left")
        .join(_sweeps(training_runs), on="parent_run_id", how="left")
        .with_columns(cause=_cause())
    )
    lost = pl.when("is_waste").then(1.0).otherwise(pl.col("lost_ratio").fill_null(0.0))
    return RunSpend.frame(rows.with_columns(wasted_ratio=lost).with_columns(wasted_usd=_part()).sort("month", "run_id"))


def _sweeps(training_runs: pl.DataFrame) -> pl.DataFrame:
    """One parent of several runs."""
    children = training_runs.filter(pl.col("parent_run_id").is_not_null()).group_by("parent_run_id").len("children")
    return children.filter(pl.col("children") > 1)


def _cause() -> pl.Expr:
    is_sweep = (pl.col("status") == "cancelled") & pl.col("children").is_not_null()
    status = pl.when(pl.col("status").is_in(_FAILURES)).then("status").otherwise(pl.lit("failed"))
    failure = pl.when(is_sweep).then(pl.lit("abandoned_sweep")).otherwise(status)
    return pl.when("is_waste").then(failure).when(pl.col("lost_ratio") > 0).then("lost_cause")


def _part() -> pl.Expr:
    """The part of the cost, rounded down in billionths, so that it never exceeds the cost."""
    share = (pl.col("wasted_ratio") * _PARTS).floor().cast(pl.Int128)
    return (pl.col("effective_usd").to_physical() * share // _PARTS).reinterpret(dtype=MONEY)


def waste(run_spend: pl.DataFrame, monthly_spend: pl.DataFrame) -> pl.DataFrame:
    """One month, cause, model, phase and pool of cost that bought nothing; each dollar has one cause."""
    lost = run_spend.filter(pl.col("cause").is_not_null()).with_columns(
        gpu_seconds=pl.col("gpu_seconds") * pl.col("wasted_ratio"), runs=pl.lit(1)
    )
    unlogged = monthly_spend.filter(pl.col("is_waste"), pl.col("run_id").is_null()).with_columns(
        cause=pl.lit("failed"), wasted_usd="effective_usd", runs=pl.lit(0)
    )
    capacity = monthly_spend.filter(pl.col("account").is_in(IDLE_ACCOUNTS)).with_columns(
        cause="account", wasted_usd="effective_usd", runs=pl.lit(0)
    )
    columns = (*_CELL, "runs", "gpu_seconds", "wasted_usd")
    parts = pl.concat([rows.select(columns) for rows in (lost, unlogged, capacity)], how="vertical_relaxed")
    sums = parts.group_by(_CELL).agg(pl.col("runs").sum(), gpu_time(), pl.col("wasted_usd").sum())
    return Waste.frame(sums.sort(_CELL, nulls_last=True))


def goodput(run_spend: pl.DataFrame) -> pl.DataFrame:
    """One month of all training runs: how much of their GPU time and cost bought progress."""
    rows = run_spend.with_columns(wasted_gpu_seconds=pl.col("gpu_seconds") * pl.col("wasted_ratio"))
    sums = rows.group_by("month").agg(
        gpu_time(), gpu_time("wasted_gpu_seconds"), pl.col("effective_usd", "wasted_usd").sum(), runs=pl.len()
    )
    useful = 1 - pl.col("wasted_gpu_seconds") / pl.col("gpu_seconds")
    return Goodput.frame(sums.with_columns(goodput_ratio=pl.when(pl.col("gpu_seconds") > 0).then(useful)).sort("month"))
