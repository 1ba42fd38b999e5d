"""Cost in scope, by month and class: what every page of the report counts in."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from warehouse.vocabulary import IDLE_ACCOUNTS

OUT_OF_SCOPE: Final = "out_of_scope"
TRAINING: Final = ("pretraining", "posttraining")
HISTORY_MONTHS: Final = 13


def month_of(day: date) -> date:
    """First day of the month of `day`."""
    return day.replace(day=1)


def month_after(month: date, months: int = 1) -> date:
    """First day of the month `months` later, or earlier where negative."""
    index = month.year * 12 + month.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def cost_class() -> pl.Expr:
    """What the money was for: the phase of direct cost, else the account, idle and unused together."""
    return (
        pl.when(pl.col("account").is_in(IDLE_ACCOUNTS))
        .then(pl.lit("idle"))
        .when(pl.col("account") == "direct")
        .then(pl.coalesce("phase", pl.lit("unallocated")))
        .otherwise(pl.col("account"))
        .alias("cost_class")
    )


def in_scope(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """Spend that the report counts, with its month and class; what could not be converted is not in it."""
    return daily_spend.filter(
        pl.col("account") != OUT_OF_SCOPE,
        pl.col("effective_usd").is_not_null(),
    ).with_columns(cost_class(), month=pl.col("charge_date").dt.truncate("1mo"))


def of_subject(daily_spend: pl.DataFrame, subject: pl.DataFrame) -> pl.DataFrame:
    """Spend in scope of the thirteen months that end with the month reported."""
    row = subject.row(0, named=True)
    return in_scope(daily_spend).filter(
        pl.col("charge_date") >= month_after(row["month"], 1 - HISTORY_MONTHS),
        pl.col("charge_date") < row["period_end"],
    )


def history(subject: pl.DataFrame) -> pl.DataFrame:
    """The months that the report looks back on: thirteen, or as many as there are."""
    row = subject.row(0, named=True)
    first = month_of(row["first_day"]) if row["first_day"] else row["month"]
    start = max(min(first, row["month"]), month_after(row["month"], 1 - HISTORY_MONTHS))
    return pl.DataFrame({"month": pl.date_range(start, row["month"], "1mo", eager=True)})
