"""Where cost is going: the months behind as they were, those ahead as the economics expect them."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from transforms.reports.reported_spend import month_after, month_of
from warehouse.schemas.reports import Outlook, Quarters

LEAST_HISTORY_DAYS: Final = 28
MONTHS_BEHIND: Final = 12
SHOWN_QUARTERS: Final = 2
_EXPECTED: Final = ("p10", "p50", "p90")


def outlook(subject: pl.DataFrame, month_figures: pl.DataFrame, spend_outlook: pl.DataFrame) -> pl.DataFrame:
    """The last twelve months and those ahead to the end of the next quarter; nothing before four weeks of history."""
    periods = _forecast_periods(subject, spend_outlook, "month")
    first_open = periods["period_start"].min()
    if not isinstance(first_open, date):
        return Outlook.empty()
    as_of = subject["as_of"].item()
    cost = pl.col("effective_usd")
    past = month_figures.filter(pl.col("month") < first_open).select(
        "month", "plan_usd", actual_usd=cost, is_forecast=pl.lit(value=False),
        **{f"expected_usd_{p}": cost for p in _EXPECTED},
    )  # fmt: skip
    open_from = pl.lit(as_of).dt.offset_by("1d") - pl.duration(days="unseen_days")
    ahead = periods.select(
        pl.col("period_start").alias("month"), pl.col("budget_usd").alias("plan_usd"), "actual_usd",
        (pl.col("period_end") >= open_from).alias("is_forecast"),
        **{f"expected_usd_{p}": pl.col(f"total_usd_{p}") for p in _EXPECTED},
    )  # fmt: skip
    rows = pl.concat([past, ahead.select(past.columns)]).sort("month")
    return Outlook.frame(rows.filter(pl.col("month") >= month_after(month_of(as_of), -MONTHS_BEHIND)))


def quarters(subject: pl.DataFrame, spend_outlook: pl.DataFrame) -> pl.DataFrame:
    """The quarter that runs on the morning after the night, and the next."""
    periods = _forecast_periods(subject, spend_outlook, "quarter").filter(
        pl.col("period_end") > subject["as_of"].item()
    )
    rows = periods.sort("period_start").head(SHOWN_QUARTERS).select(
        "actual_usd", "within_plan_ratio", quarter="period_start", plan_usd="budget_usd",
        **{f"expected_usd_{p}": pl.col(f"total_usd_{p}") for p in _EXPECTED},
    )  # fmt: skip
    return Quarters.frame(rows)


def _forecast_periods(subject: pl.DataFrame, spend_outlook: pl.DataFrame, grain: str) -> pl.DataFrame:
    """What the economics expect; nothing of a company that is too young, or that serves nothing."""
    is_old = subject["history_days"].item() >= LEAST_HISTORY_DAYS
    return spend_outlook.filter(pl.col("grain") == grain, pl.col("method").is_not_null(), pl.lit(is_old))
