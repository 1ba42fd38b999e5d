"""Where spend is heading: the months of this quarter and the quarter, against the plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr

from transforms.economics.demand import running_rows
from transforms.economics.estimates import usd_from
from transforms.economics.horizon import P90, median_sum, spread_of_window
from transforms.economics.planning import plan_of, training_to_come
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import SpendOutlook

_RUNNING: Final = ("running_usd_p10", "running_usd_p50", "running_usd_p90")
_TESTS: Final = ("history_days", "unseen_days", "mape_ratio", "naive_mape_ratio", "coverage_ratio")


class Period(NamedTuple):
    """A month or quarter from its first to its last day."""

    first: date
    last: date
    grain: str


def spend_outlook(
    daily_spend: pl.DataFrame,
    demand_states: pl.DataFrame,
    training_runs: pl.DataFrame,
    budgets: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One month that is not over or not known to its end, and its quarter: spend to come, plan, chance to hold it.

    What runs on is forecast as a whole from its own past errors, never by adding percentiles. Days that the bill does
    not cover yet are still to come, less what is booked on them already. Training is a calendar of events: what
    budgets.csv plans by phase; without such a plan, the models with a run that still goes on cost what they cost in
    the last week known until the end of the month.
    """
    as_of = settings["as_of"].item()
    state = demand_states.filter(pl.col("known_on") == as_of + timedelta(days=1), pl.col("quantity") == "running_usd")
    if state.is_empty():
        return SpendOutlook.empty()
    spent = daily_spend.filter(pl.col("charge_date") <= as_of, pl.col("account") != "out_of_scope")
    seen_to = as_of - timedelta(days=state["unseen_days"].item())
    since = running_rows(spent).filter(pl.col("charge_date") > seen_to)
    rows = [
        {
            "period_start": period.first,
            "period_end": period.last,
            "grain": period.grain,
            "actual_usd": _actual(spent, period),
            **_running(state.row(0, named=True), period, seen_to, max(float(_actual(since, period)), 0.0)),
            **training_to_come(spent, training_runs, budgets, period.first, period.last, as_of, seen_to),
            "budget_usd": plan_of(budgets, period.first, period.last),
        }
        for period in _periods(min(as_of, seen_to + timedelta(days=1)), as_of)
    ]
    money = dict.fromkeys(("actual_usd", "training_usd", "budget_usd"), MONEY)
    totals = _totals(pl.DataFrame(rows, schema_overrides=money))
    return SpendOutlook.frame(totals.join(state.select(_TESTS), how="cross").sort("period_start", "period_end"))


def _periods(open_from: date, as_of: date) -> list[Period]:
    """The quarters from that of the first open day to that of the night, and their months from that day on."""
    start, end = (pl.lit(day).dt.truncate("1q") for day in (open_from, as_of))
    months = pl.select(pl.date_range(start, end.dt.offset_by("2mo"), "1mo").alias("first"))
    rows = months.with_columns(last=pl.col("first").dt.month_end(), quarter=pl.col("first").dt.truncate("1q"))
    ends = rows.group_by("quarter").agg(pl.col("last").max()).sort("quarter")
    return [
        *(
            Period(first, last, "month")
            for first, last in rows.select("first", "last").iter_rows()
            if last >= open_from
        ),
        *(Period(first, last, "quarter") for first, last in ends.iter_rows()),
    ]


def _actual(spent: pl.DataFrame, period: Period) -> Decimal:
    inside = spent.filter(pl.col("charge_date").is_between(period.first, period.last))
    return Decimal(inside["effective_usd"].sum() or 0)


def _running(state: dict[str, Any], period: Period, seen_to: date, booked_usd: float) -> dict[str, float]:
    """P10, P50 and P90 of what runs on over the days of the period that are not known, beyond what is booked there."""
    first, last = (
        np.array([max((day - seen_to).days, 0)])
        for day in (max(period.first, seen_to + timedelta(days=1)), period.last)
    )
    if last[0] < first[0]:
        return dict.fromkeys((*_RUNNING, "width", "booked_usd"), 0.0)
    level, trend, sigma = (np.array([state[name]]) for name in ("level", "trend", "sigma"))
    median = float((median_sum(level, trend, last) - median_sum(level, trend, first - 1)).item())
    width = float(spread_of_window(sigma, first, last).item())
    quantiles = (max(median * float(np.exp(z * width)) - booked_usd, 0.0) for z in (-P90, 0.0, P90))
    return {**dict(zip(_RUNNING, quantiles, strict=True)), "width": width, "booked_usd": booked_usd}


def _totals(rows: pl.DataFrame) -> pl.DataFrame:
    room = (pl.col("budget_usd") - pl.col("actual_usd") - pl.col("training_usd")).cast(pl.Float64)
    median = pl.col("running_usd_p50") + pl.col("booked_usd")
    exact = rows.with_columns(usd_from(name) for name in _RUNNING)
    chances = [
        None if space is None else _chance(space, expected, width)
        for space, expected, width in rows.select(room + pl.col("booked_usd"), median, "width").iter_rows()
    ]
    return exact.with_columns(
        *(
            (pl.col("actual_usd") + pl.col("training_usd") + pl.col(running)).alias(running.replace("running", "total"))
            for running in _RUNNING
        ),
        pl.Series("within_plan_ratio", chances, dtype=pl.Float64),
    )


def _chance(room: float, median: float, width: float) -> float:
    """Chance that a log-normal sum stays within the room that the plan leaves it."""
    if room <= 0 or median <= 0 or width <= 0:
        return float(room >= median)
    return float(ndtr(np.log(room / median) / width))
