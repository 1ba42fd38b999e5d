"""The numbers of page 7."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "compute")
LAW = "reports.law_verdicts"
BATCHES = "reports.serving_batches"
RUNS = "reports.runs_in_flight"
TASKS = "reports.task_standings"


def compute_numbers(night: Night) -> Iterator[Number]:
    """Models that an equal split fits, what small batches and latency limits cost, runs, and work that could move."""
    has_demand = "demand_ratio IS NOT NULL"
    yield _number(
        "split_judged", "Own models whose demand is known", "models", LAW, "count(model_id)", "model_id", has_demand
    )
    yield _number("split_fits", "Own models that an equal split fits", "models", LAW, "count(model_id)", "model_id",
                  f"{has_demand} AND fits_equal_split")  # fmt: skip
    misfits = night.tables["law_verdicts"].filter(pl.col("fits_equal_split").eq(other=False)).sort("position")
    for model in misfits["model_id"].head(1):
        yield _number("split_beyond", f"Demand of {model} over the range of an equal split", "times", LAW,
                      "sum(beyond_ratio)", "beyond_ratio", f"model_id = {literal(model)}")  # fmt: skip
    yield _number("small_batches", "Lost to small batches, a month", night.currency, BATCHES, "sum(small_batches_usd)",
                  "small_batches_usd", "small_batches_usd IS NOT NULL")  # fmt: skip
    yield _number("latency_premium", "What latency limits cost, a month", night.currency, BATCHES,
                  "sum(latency_premium_usd)", "latency_premium_usd", "latency_premium_usd IS NOT NULL")  # fmt: skip
    yield _number("runs_in_flight", "Training runs that are going on", "runs", RUNS, "count(run_id)", "run_id")
    yield _number("stop_remaining", "Left to pay for runs that should stop", night.currency, RUNS,
                  "sum(remaining_usd)", "remaining_usd",
                  "verdict IN ('stop', 'roll_back') AND remaining_usd IS NOT NULL")  # fmt: skip
    yield _number("work", "Inference of four weeks, as a month", night.currency, TASKS, "sum(monthly_inference_usd)",
                  "monthly_inference_usd")  # fmt: skip
