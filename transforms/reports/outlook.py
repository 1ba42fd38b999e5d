"""Where cost is going: serving by the forecast of demand, training by its calendar, the rest at its known pace."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from transforms.reports.months import plans
from transforms.reports.spend import TRAINING, in_scope, month_after, month_of
from warehouse.schemas.reports import Outlook, Quarters

DAMPING = 0.98
TENTH = 1.2815515655446004
PACE_MONTHS = 3
LEAST_HISTORY_DAYS = 28


class ToCome(NamedTuple):
    """What the days of a period that are not known are expected to cost, and what stands on them already."""

    serving: float
    other: float
    booked_serving: float
    booked_other: float
    training: float

    def cost(self, spread: float) -> float:
        """What comes beyond what is booked, with serving at so many times its median."""
        serving, other = self.serving * spread - self.booked_serving, self.other - self.booked_other
        return max(serving, 0.0) + max(other, 0.0) + self.training


@dataclass(frozen=True)
class Pace:
    """What a day costs that is not known yet: serving with its trend and spread, and all but training.

    A day that telemetry or a bill has not told of is unknown, not free: serving is expected from `serving_from` on, the
    rest from `other_from` on; `booked` are charge_date, is_serving and effective_usd of what stands on those days.
    `training` are events still to come, by month.
    """

    ahead: date
    serving_from: date
    other_from: date
    level: float
    trend: float
    sigma: float
    other: float
    booked: pl.DataFrame
    training: dict[date, float]

    @property
    def open_from(self) -> date:
        """The first day that is not known in full."""
        return min(self.serving_from, self.other_from)

    def serving(self, day: date) -> float:
        """Median serving cost of one day; the trend dies away."""
        ahead = (day - self.serving_from).days + 1
        return max(self.level + self.trend * DAMPING * (1 - DAMPING**ahead) / (1 - DAMPING), 0.0)

    def between(self, start: date, end: date) -> ToCome:
        """What is to come on the days from `start` to before `end`."""
        first = max(start, self.serving_from)
        days = [first + timedelta(days=day) for day in range(max((end - first).days, 0))]
        others = max((end - max(start, self.other_from)).days, 0)
        inside = self.booked.filter(pl.col("charge_date") >= start, pl.col("charge_date") < end)
        serving, other = (_credits_apart(inside.filter(pl.col("is_serving") == side)) for side in (True, False))
        trained = sum(usd for month, usd in self.training.items() if start <= month < end)
        return ToCome(sum(self.serving(day) for day in days), self.other * others, serving, other, trained)


def _credits_apart(booked: pl.DataFrame) -> float:
    """What is booked; a credit stands beside what is still to come and takes nothing from it."""
    return max(float(booked["effective_usd"].sum() or 0), 0.0)


def outlook(
    subject: pl.DataFrame,
    daily_spend: pl.DataFrame,
    demand_states: pl.DataFrame,
    spend_outlook: pl.DataFrame,
    budgets: pl.DataFrame,
) -> pl.DataFrame:
    """The last thirteen months and those ahead to the end of the next quarter; nothing before four weeks of history."""
    pace = _pace(subject, daily_spend, demand_states, _training(subject, spend_outlook, budgets))
    if pace is None:
        return Outlook.empty()
    actual = _actual(daily_spend, pace.ahead)
    planned = dict(plans(budgets).select("month", "plan_usd").iter_rows())
    last = month_after(_quarter(pace.ahead), 5)
    first = max(min(actual, default=last), month_after(month_of(pace.ahead), -12))
    months = [month_after(first, place) for place in range(_months_between(first, last) + 1)]
    rows = [
        _row(month, month_after(month), pace, actual.get(month, Decimal(0)), planned.get(month)) for month in months
    ]
    named = [{"month": row.pop("start"), "is_forecast": month_after(month) > pace.open_from} | row
             for month, row in zip(months, rows, strict=True)]  # fmt: skip
    return Outlook.frame(pl.DataFrame(named, schema=Outlook.polars_schema()))


def quarters(
    subject: pl.DataFrame,
    daily_spend: pl.DataFrame,
    demand_states: pl.DataFrame,
    spend_outlook: pl.DataFrame,
    budgets: pl.DataFrame,
) -> pl.DataFrame:
    """The running quarter and the next; one spread moves all days of serving together."""
    pace = _pace(subject, daily_spend, demand_states, _training(subject, spend_outlook, budgets))
    if pace is None:
        return Quarters.empty()
    actual = _actual(daily_spend, pace.ahead)
    planned = dict(plans(budgets).select("month", "plan_usd").iter_rows())
    rows = []
    for quarter in (_quarter(pace.ahead), month_after(_quarter(pace.ahead), 3)):
        months = [month_after(quarter, place) for place in range(3)]
        spent = sum((actual.get(month, Decimal(0)) for month in months), Decimal(0))
        plan = sum(planned[month] for month in months) if all(month in planned for month in months) else None
        row = _row(quarter, month_after(quarter, 3), pace, spent, plan)
        rows.append({"quarter": row.pop("start"), "within_plan_ratio": _within(row, pace, quarter)} | row)
    return Quarters.frame(pl.DataFrame(rows, schema=Quarters.polars_schema()))


def _quarter(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _training(subject: pl.DataFrame, spend_outlook: pl.DataFrame, budgets: pl.DataFrame) -> dict[date, float]:
    """Training to come by month: as the outlook of spend tells it, in later months what budgets.csv plans by phase."""
    told = spend_outlook.filter(pl.col("grain") == "month")
    planned = budgets.filter(pl.col("phase").is_in(TRAINING)).group_by("month").agg(pl.col("usd").sum())
    last = month_after(month_of(subject["as_of"].item() + timedelta(days=1)), -1)
    later = planned.filter(pl.col("month") > max([last, *told["period_start"]]))
    rows = [*told.select("period_start", "training_usd").iter_rows(), *later.select("month", "usd").iter_rows()]
    return {month: float(usd) for month, usd in rows}


def _pace(
    subject: pl.DataFrame, daily_spend: pl.DataFrame, demand_states: pl.DataFrame, training: dict[date, float]
) -> Pace | None:
    latest = demand_states.filter(pl.col("model_id") == "*", pl.col("known_on") == pl.col("known_on").max())
    states = {state["quantity"]: state for state in latest.iter_rows(named=True)}
    serving, running = states.get("inference_usd"), states.get("running_usd")
    if serving is None or subject["history_days"].item() < LEAST_HISTORY_DAYS:
        return None
    ahead = subject["as_of"].item() + timedelta(days=1)
    serving_from = ahead - timedelta(days=serving["unseen_days"])
    other_from = ahead - timedelta(days=running["unseen_days"] if running else 0)
    spent = in_scope(daily_spend).filter(pl.col("charge_date") < ahead, ~pl.col("cost_class").is_in(TRAINING)).select(
        "charge_date", "effective_usd", is_serving=pl.col("cost_class") == "inference"
    )  # fmt: skip
    is_known = pl.col("charge_date") < pl.when("is_serving").then(pl.lit(serving_from)).otherwise(pl.lit(other_from))
    other = _daily_other(subject.row(0, named=True), spent.filter(~pl.col("is_serving")), other_from)
    booked = spent.filter(~is_known)
    return Pace(
        ahead, serving_from, other_from, serving["level"], serving["trend"], serving["sigma"], other, booked, training
    )


def _daily_other(row: dict[str, Any], spent: pl.DataFrame, known_to: date) -> float:
    """Mean cost of a known day of the last three months but serving and training; a sum in credit does not go on."""
    start = max(month_after(row["month"], 1 - PACE_MONTHS), row["first_day"] or row["month"])
    end = min(row["period_end"], known_to)
    if end <= start:
        return 0.0
    known = spent.filter(pl.col("charge_date") >= start, pl.col("charge_date") < end)
    days: int = (end - start).days
    return max(float(known["effective_usd"].sum() or 0), 0.0) / days


def _actual(daily_spend: pl.DataFrame, end: date) -> dict[date, Decimal]:
    spent = (
        in_scope(daily_spend).filter(pl.col("charge_date") < end).group_by("month").agg(pl.col("effective_usd").sum())
    )
    return dict(spent.select("month", "effective_usd").iter_rows())


def _row(start: date, end: date, pace: Pace, actual: Decimal, plan: Decimal | None) -> dict[str, Any]:
    ahead = pace.between(start, end)
    spread = math.exp(TENTH * pace.sigma)
    spreads = {"p10": 1 / spread, "p50": 1.0, "p90": spread}
    amounts = {p: float(actual) + ahead.cost(width) for p, width in spreads.items()}
    rounded = {f"expected_usd_{p}": Decimal(f"{amount:.6f}") for p, amount in amounts.items()}
    return {"start": start, "actual_usd": actual, **rounded, "plan_usd": plan}


def _within(row: dict[str, Any], pace: Pace, quarter: date) -> float | None:
    """Chance that the serving to come stays under what the plan leaves for it."""
    ahead = pace.between(quarter, month_after(quarter, 3))
    if row["plan_usd"] is None:
        return None
    other = max(ahead.other - ahead.booked_other, 0.0)
    left = float(row["plan_usd"] - row["actual_usd"]) + ahead.booked_serving - other - ahead.training
    if left <= 0 or ahead.serving <= 0 or pace.sigma <= 0:
        return float(left >= ahead.serving)
    return 0.5 * (1 + math.erf(math.log(left / ahead.serving) / pace.sigma / math.sqrt(2)))
