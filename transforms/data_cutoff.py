"""How far the night is known, and which days of two months can be compared: unknown is not zero."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

_ENDED_AFTER_DAYS: Final = 7


def last_known_day(demand_states: pl.DataFrame, settings: pl.DataFrame) -> date:
    """The last day to the night that both the requests and the bill have told of; the night where nothing is late.

    Requests that are silent for over a week while the bill goes on have ended: a company may stop serving.
    """
    night: date = settings["as_of"].item()
    now = demand_states.filter(pl.col("known_on") == night + timedelta(days=1))
    billed = now.filter(pl.col("quantity") == "running_usd")["unseen_days"].max()
    is_late = pl.lit(value=True) if billed is None else pl.col("unseen_days") <= pl.lit(billed) + _ENDED_AFTER_DAYS
    unseen = now.filter(is_late)["unseen_days"].max()
    return night - timedelta(days=int(unseen)) if isinstance(unseen, int) else night


def compared_days(known_to: date) -> pl.Expr:
    """Days of each `month` that are compared: all of them, of the month in which what is known ends those to there."""
    days = pl.col("month").dt.month_end().dt.day()
    is_last = pl.col("month") == pl.lit(known_to.replace(day=1))
    return pl.when(is_last).then(pl.min_horizontal(days, pl.lit(known_to.day, dtype=pl.Int8))).otherwise(days)


def is_compared(known_to: date) -> pl.Expr:
    """Whether a `day` counts in the comparison of `month` with the one before: days that only one side has do not."""
    is_whole = compared_days(known_to) == pl.col("month").dt.month_end().dt.day()
    return (pl.col("month") <= known_to) & (is_whole | (pl.col("day").dt.day() <= compared_days(known_to)))


def known_days(known_to: date) -> pl.Expr:
    """Days of each `month` that are known: none of a month that begins after the last known day."""
    return pl.when(pl.col("month") <= known_to).then(compared_days(known_to)).otherwise(0)
