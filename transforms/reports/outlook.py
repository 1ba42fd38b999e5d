"""Where cost is going: serving by the forecast of demand, all else at the pace of the last three months."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from transforms.reports.months import plans
from transforms.reports.spend import in_scope, month_after, month_of
from warehouse.schemas.reports import Outlook, Quarters

DAMPING = 0.98
TENTH = 1.2815515655446004
PACE_MONTHS = 3


@dataclass(frozen=True)
class Pace:
    """What a day costs from the night on: serving with its trend and spread, and everything else."""

    start: date
    level: float
    trend: float
    sigma: float
    other: float

    def serving(self, day: date) -> float:
        """Median serving cost of one day ahead; the trend dies away."""
        ahead = (day - self.start).days + 1
        return max(self.level + self.trend * DAMPING * (1 - DAMPING**ahead) / (1 - DAMPING), 0.0)

    def between(self, start: date, end: date) -> tuple[float, float]:
        """Serving and other cost of the days ahead from `start` to before `end`."""
        first = max(start, self.start)
        days = [first + timedelta(days=day) for day in range(max((end - first).days, 0))]
        return sum(self.serving(day) for day in days), self.other * len(days)


def outlook(
    subject: pl.DataFrame, daily_spend: pl.DataFrame, demand_states: pl.DataFrame, budgets: pl.DataFrame
) -> pl.DataFrame:
    """The last thirteen months and those ahead to the end of the next quarter; nothing without a forecast."""
    pace = _pace(subject, daily_spend, demand_states)
    if pace is None:
        return Outlook.empty()
    actual = _actual(daily_spend, pace.start)
    planned = dict(plans(budgets).select("month", "plan_usd").iter_rows())
    last = month_after(_quarter(pace.start), 5)
    first = max(min(actual, default=last), month_after(month_of(pace.start), -12))
    months = [month_after(first, place) for place in range(_months_between(first, last) + 1)]
    rows = [
        _row(month, month_after(month), pace, actual.get(month, Decimal(0)), planned.get(month)) for month in months
    ]
    named = [{"month": row.pop("start"), "is_forecast": month_after(month) > pace.start} | row
             for month, row in zip(months, rows, strict=True)]  # fmt: skip
    return Outlook.frame(pl.DataFrame(named, schema=Outlook.polars_schema()))


def quarters(
    subject: pl.DataFrame, daily_spend: pl.DataFrame, demand_states: pl.DataFrame, budgets: pl.DataFrame
) -> pl.DataFrame:
    """The running quarter and the next; one spread moves all days of serving together."""
    pace = _pace(subject, daily_spend, demand_states)
    if pace is None:
        return Quarters.empty()
    actual = _actual(daily_spend, pace.start)
    planned = dict(plans(budgets).select("month", "plan_usd").iter_rows())
    rows = []
    for quarter in (_quarter(pace.start), month_after(_quarter(pace.start), 3)):
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


def _pace(subject: pl.DataFrame, daily_spend: pl.DataFrame, demand_states: pl.DataFrame) -> Pace | None:
    serving = demand_states.filter(pl.col("model_id") == "*", pl.col("quantity") == "inference_usd")
    if serving.is_empty():
        return None
    state = serving.sort("known_on").row(-1, named=True)
    row = subject.row(0, named=True)
    end = row["period_end"]
    start = max(month_after(row["month"], 1 - PACE_MONTHS), month_of(row["first_day"] or row["month"]))
    spent = in_scope(daily_spend).filter(
        pl.col("charge_date") >= start, pl.col("charge_date") < end, pl.col("cost_class") != "inference"
    )
    other = float(spent["effective_usd"].sum() or 0) / max((end - start).days, 1)
    ahead = row["as_of"] + timedelta(days=1)
    return Pace(ahead, state["level"], state["trend"], state["sigma"], other)


def _actual(daily_spend: pl.DataFrame, end: date) -> dict[date, Decimal]:
    spent = (
        in_scope(daily_spend).filter(pl.col("charge_date") < end).group_by("month").agg(pl.col("effective_usd").sum())
    )
    return dict(spent.select("month", "effective_usd").iter_rows())


def _row(start: date, end: date, pace: Pace, actual: Decimal, plan: Decimal | None) -> dict[str, Any]:
    serving, other = pace.between(start, end)
    spread = math.exp(TENTH * pace.sigma)
    known = float(actual) + other
    amounts = {"p10": known + serving / spread, "p50": known + serving, "p90": known + serving * spread}
    rounded = {f"expected_usd_{p}": Decimal(f"{amount:.6f}") for p, amount in amounts.items()}
    return {"start": start, "actual_usd": actual, **rounded, "plan_usd": plan}


def _within(row: dict[str, Any], pace: Pace, quarter: date) -> float | None:
    """Chance that the serving ahead stays under what the plan leaves for it."""
    serving, other = pace.between(quarter, month_after(quarter, 3))
    if row["plan_usd"] is None:
        return None
    left = float(row["plan_usd"] - row["actual_usd"]) - other
    if left <= 0 or serving <= 0 or pace.sigma <= 0:
        return float(left >= serving)
    return 0.5 * (1 + math.erf(math.log(left / serving) / pace.sigma / math.sqrt(2)))
