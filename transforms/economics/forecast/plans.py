"""What is planned: budgets of a period, and training as a calendar of events."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from transforms.economics.spend.lineage_shares import TRAINING

_ANY: Final = "*"
_RECENT_DAYS: Final = 7


def plan_of(budgets: pl.DataFrame, first: date, last: date) -> Decimal | None:
    """The plan of the months from first to last from the coarsest rows of each; None unless every month has one."""
    level = (pl.col("model_id") != _ANY).cast(pl.Int8) * 2 + (pl.col("phase") != _ANY).cast(pl.Int8)
    rows = budgets.filter(pl.col("month").is_between(first, last)).with_columns(level=level)
    coarsest = rows.filter(pl.col("level") == pl.col("level").min().over("month"))
    months = pl.select(pl.date_range(first, last, "1mo").len()).item()
    return Decimal(coarsest["usd"].sum()) if coarsest["month"].n_unique() == months else None


def training_to_come(
    spent: pl.DataFrame,
    training_runs: pl.DataFrame,
    budgets: pl.DataFrame,
    first: date,
    last: date,
    as_of: date,
    seen_to: date,
) -> dict[str, object]:
    """Training of one month between the last day known and its last, and where that is known from."""
    direct = spent.filter(pl.col("account") == "direct", pl.col("phase").is_in(TRAINING))
    planned = budgets.filter(pl.col("month").is_between(first, last), pl.col("phase").is_in(TRAINING))
    if planned.height:
        is_open = last > seen_to
        return {"training_usd": _planned(planned, direct) if is_open else Decimal(0), "training_basis": "plan"}
    going_on = training_runs.filter(pl.col("status") == "running").select("model_id", "phase").unique()
    month_end = pl.select(pl.lit(as_of).dt.month_end()).item()
    since, until = max(first - timedelta(days=1), seen_to), min(last, month_end)
    if going_on.is_empty() or first > as_of or until <= since:
        return {"training_usd": Decimal(0), "training_basis": "none"}
    of_these = direct.join(going_on, on=["model_id", "phase"], how="semi")
    return {"training_usd": _run_on(of_these, since, until, seen_to), "training_basis": "running"}


def _run_on(direct: pl.DataFrame, since: date, until: date, seen_to: date) -> Decimal:
    """The last week known, for each day after `since` to `until`; less what is booked on these days already."""
    day = pl.col("charge_date")
    recent = direct.filter(day.is_between(seen_to - timedelta(days=_RECENT_DAYS - 1), seen_to))["effective_usd"].sum()
    booked = Decimal(direct.filter(day > since, day <= until)["effective_usd"].sum() or 0)
    daily = Decimal(recent or 0) / _RECENT_DAYS
    return max(round(daily * (until - since).days - max(booked, Decimal(0)), 6), Decimal(0))


def _planned(planned: pl.DataFrame, direct: pl.DataFrame) -> Decimal:
    """What the plan of each month and phase leaves after what has been spent; nothing where it is exceeded."""
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    spent = direct.group_by(month, "phase").agg(spent_usd=pl.col("effective_usd").sum())
    is_of_model = pl.col("model_id") != _ANY
    coarsest = planned.filter(is_of_model == is_of_model.min().over("month", "phase"))
    plans = coarsest.group_by("month", "phase").agg(pl.col("usd").sum())
    left = plans.join(spent, on=["month", "phase"], how="left").select(
        usd=pl.col("usd") - pl.col("spent_usd").fill_null(0)
    )
    return Decimal(left.filter(pl.col("usd") > 0)["usd"].sum() or 0)
