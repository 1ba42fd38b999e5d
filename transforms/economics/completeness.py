"""How far what is delivered reaches: a day that nobody has told of yet is unknown, and unknown is not zero."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.economics.forecast.smoothing import WEEK, Floats, Integers
from warehouse.schemas.names import ACCRUAL

Booleans: TypeAlias = npt.NDArray[np.bool_]

# The accrual is made from rates, so it reaches every night; only what somebody delivers can be late.
_METERED: Final = ("direct", "idle")


def requests_by_day(daily_service: pl.DataFrame) -> pl.DataFrame:
    """One day with requests of anybody. A model alone may stop; that all stop at once is told by no source."""
    return daily_service.filter(pl.col("requests") > 0).select("day", source=pl.lit("requests")).unique()


def bills_by_day(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One day that a source has billed use of. Fees of a whole month stand on days to come and tell nothing."""
    is_metered = pl.col("account").is_in(_METERED) & (pl.col("source") != ACCRUAL) & (pl.col("effective_usd") > 0)
    return daily_spend.filter(is_metered).select("source", day="charge_date").unique()


def unknown_days(delivered: pl.DataFrame, first_day: date, days: int) -> Booleans:
    """Whether each day is one that a source which had come daily for a week has not told of.

    Weekends of a company that works on weekdays are zeros, since such a source does not come daily. A source that is
    silent for over a week while another one comes has ended. Each day is judged by the days before it alone.
    """
    last_day = first_day + timedelta(days=days - 1)
    inside = delivered.filter(pl.col("day").is_between(first_day, last_day)).sort("source", "day")
    if inside.is_empty():
        return np.zeros(days, dtype=np.bool_)
    row = inside["source"].rank("dense").to_numpy().astype(np.int64) - 1
    came = np.zeros((int(row.max()) + 1, days), dtype=np.bool_)
    came[row, (inside["day"] - first_day).dt.total_days().to_numpy()] = True
    day_numbers = np.arange(days)
    latest = np.maximum.accumulate(np.where(came, day_numbers, -1), axis=1)
    in_a_row = day_numbers - np.maximum.accumulate(np.where(came, -1, day_numbers), axis=1)
    was_daily = np.take_along_axis(in_a_row, np.maximum(latest, 0), axis=1) >= WEEK
    goes_on = latest >= latest.max(axis=0) - WEEK
    return np.asarray((~came & (latest >= 0) & was_daily & goes_on).any(axis=0))


def seen_before(unknown: Booleans) -> Integers:
    """For each number of days before a day: how many of them there are up to the last known one."""
    last_delivered = np.where(unknown, 0, np.arange(1, len(unknown) + 1))
    return np.concatenate([[0], np.maximum.accumulate(last_delivered)]).astype(np.int64)


def filled(values: Floats, unknown: Booleans) -> Floats:
    """Series × days with each unknown day as the same weekday a week before; a week is known before any is unknown."""
    complete = values.copy()
    for day in np.flatnonzero(unknown):
        complete[:, day] = complete[:, day - WEEK]
    return complete
