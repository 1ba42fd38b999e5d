"""Where spend is heading: the open months and quarters to the end of the next one, against the plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr

from transforms.economics.forecast.plans import plan_of, training_to_come
from transforms.economics.forecast.prediction_interval import P90
from transforms.economics.forecast.run_rate import Pace, Window, accuracy, pace_of
from transforms.economics.rounding import usd_from
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import SpendOutlook

_SERVING: Final = ("serving_usd_p10", "serving_usd_p50", "serving_usd_p90")
_BASES: Final = ("plan", "running", "none")
_MONEY: Final = dict.fromkeys(("actual_usd", "training_usd", "budget_usd"), MONEY)


class Period(NamedTuple):
    """A month or quarter from its first to its last day."""

    first: date
    last: date
    grain: str


def spend_outlook(
    daily_spend: pl.DataFrame,
    demand_states: pl.DataFrame,
    demand_paths: pl.DataFrame,
    model_lives: pl.DataFrame,
    training_runs: pl.DataFrame,
    budgets: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One month that is not over or not known to its end, or its quarter: spend to come, plan, chance to hold it.

    Serving is forecast as a whole from its own past errors, never by adding percentiles: four weeks by its trend, the
    months after by the same `demand_paths` that decisions draw from. A model that retires stops.
    Idle, shared and the like go on at the pace of the known days of the last three months. Days that requests or the
    bill do not cover yet are still to come, less what is booked on them already. Training is a calendar of events: what
    budgets.csv plans by phase; without such a plan, the models with a run that still goes on cost what they cost in
    the last week known until the end of the month.
    """
    as_of = settings["as_of"].item()
    states, paths = (
        rows.filter(pl.col("known_on") == as_of + timedelta(days=1)) for rows in (demand_states, demand_paths)
    )
    spent = _spent(daily_spend, as_of)
    pace = pace_of(spent, states, paths, model_lives, as_of, _end(as_of))
    if pace is None:
        return SpendOutlook.empty()
    periods = _periods(min(as_of, pace.open_from), _end(as_of))
    seen_to = pace.other_from - timedelta(days=1)
    months = [
        _row(period, pace, spent, budgets)
        | training_to_come(spent, training_runs, budgets, period.first, period.last, as_of, seen_to)
        for period in periods
        if period.grain == "month"
    ]
    quarters = [
        _row(period, pace, spent, budgets) | _of_months(period, months)
        for period in periods
        if period.grain == "quarter"
    ]
    accuracy_columns = {**accuracy(states), "unseen_days": (as_of - pace.open_from).days + 1}
    rows = pl.DataFrame(
        [row | accuracy_columns for row in (*months, *quarters)], schema_overrides=_MONEY, infer_schema_length=None
    )
    return SpendOutlook.frame(_totals(rows).sort("period_start", "period_end"))


def _spent(daily_spend: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Cost in scope to the night; what has no rate is not in it."""
    is_converted_in_scope = pl.col("effective_usd").is_not_null() & (pl.col("account") != "out_of_scope")
    return daily_spend.filter(is_converted_in_scope, pl.col("charge_date") <= as_of)


def _end(as_of: date) -> date:
    """The last day of the quarter after the one that runs on the morning after the night."""
    tomorrow = pl.lit(as_of + timedelta(days=1)).dt.truncate("1q")
    last: date = pl.select(tomorrow.dt.offset_by("5mo").dt.month_end()).item()
    return last


def _periods(open_from: date, end: date) -> list[Period]:
    """The months from that of the first open day to the end, and the quarters that they are in, each whole."""
    start = pl.lit(open_from).dt.truncate("1mo")
    months = pl.select(pl.date_range(start, end, "1mo").alias("first"))
    rows = months.with_columns(last=pl.col("first").dt.month_end(), quarter=pl.col("first").dt.truncate("1q"))
    ends = rows.group_by("quarter").agg(pl.col("last").max()).sort("quarter")
    return [
        *(Period(first, last, "month") for first, last in rows.select("first", "last").iter_rows()),
        *(Period(first, last, "quarter") for first, last in ends.iter_rows()),
    ]


def _row(period: Period, pace: Pace, spent: pl.DataFrame, budgets: pl.DataFrame) -> dict[str, Any]:
    """The period with all but training."""
    inside = spent.filter(pl.col("charge_date").is_between(period.first, period.last))
    window = pace.window(period.first, period.last)
    return {
        "period_start": period.first,
        "period_end": period.last,
        "grain": period.grain,
        "actual_usd": Decimal(inside["effective_usd"].sum() or 0),
        **_serving(window),
        "other_usd": window.other,
        "window": window,
        "budget_usd": plan_of(budgets, period.first, period.last),
    }


def _serving(window: Window) -> dict[str, float]:
    """P10, P50 and P90 of serving beyond what is booked."""
    amounts = (window.serving * float(np.exp(z * window.width)) - window.booked for z in (-P90, 0.0, P90))
    return {name: max(amount, 0.0) for name, amount in zip(_SERVING, amounts, strict=True)}


def _of_months(quarter: Period, months: list[dict[str, Any]]) -> dict[str, Any]:
    """Training, idle and shared of a quarter: those of its months, so that they add up."""
    ours = [row for row in months if quarter.first <= row["period_start"] <= quarter.last]
    bases = {row["training_basis"] for row in ours}
    return {
        "other_usd": sum((row["other_usd"] for row in ours), 0.0),
        "training_usd": sum((row["training_usd"] for row in ours), Decimal(0)),
        "training_basis": next(basis for basis in _BASES if basis in bases),
    }


def _totals(rows: pl.DataFrame) -> pl.DataFrame:
    room = (pl.col("budget_usd") - pl.col("actual_usd") - pl.col("training_usd")).cast(pl.Float64)
    left = rows.select(room - pl.col("other_usd"), "window")
    exact = rows.with_columns(usd_from(name) for name in (*_SERVING, "other_usd"))
    certain = pl.col("actual_usd") + pl.col("training_usd") + pl.col("other_usd")
    return exact.with_columns(
        *((certain + pl.col(serving)).alias(serving.replace("serving", "total")) for serving in _SERVING),
        pl.Series("within_plan_ratio", [_within_plan_ratio(*row) for row in left.iter_rows()], dtype=pl.Float64),
    )


def _within_plan_ratio(room: float | None, window: dict[str, float]) -> float | None:
    """Chance that the log-normal sum of serving stays within the room that the plan leaves it."""
    if room is None:
        return None
    median, width, left = window["serving"], window["width"], room + window["booked"]
    if left <= 0 or median <= 0 or width <= 0:
        return float(left >= median)
    return float(ndtr(np.log(left / median) / width))
