"""The months that a company's history covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from datetime import date


def night_month(settings: pl.DataFrame) -> date:
    """First day of the month of the night."""
    night: date = settings["as_of"].item()
    return night.replace(day=1)


def months_to(night_month: date, *seen: pl.Series) -> pl.DataFrame:
    """First days of the months, column `month`, from the first one seen to the night's."""
    dates = [night_month, *(month for months in seen for month in months.unique() if month is not None)]
    return pl.select(pl.date_range(min(dates), night_month, "1mo").alias("month"))


def clipped(night_month: date) -> pl.Expr:
    """The month of a cost, at latest the night's: a bill of a whole month has parts on days after the night."""
    return pl.min_horizontal("month", pl.lit(night_month)).alias("month")
