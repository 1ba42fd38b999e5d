"""The days that come: what is moved on each, and what its cash is worth on the night."""

from __future__ import annotations

from typing import Final

import numpy as np

from bench.companies import SETTINGS

MONTH: Final = 365.25 / 12
YEARLY: Final = float(SETTINGS["discount_ratio"])


def moved(days: int, lead: float, move: float) -> np.ndarray:
    """Share of the traffic that has moved on each day, after `lead` months and evenly over `move`."""
    return np.clip(((np.arange(days) + 0.5) / MONTH - lead) / move, 0, 1)


def present(daily_usd: np.ndarray) -> float:
    """What the cash of the days is worth on the night; a month is paid at its end."""
    return float((daily_usd * (1 + YEARLY) ** (-(np.arange(len(daily_usd)) + 15) / 365.25)).sum())


def worth(daily_usd: np.ndarray, calendar: tuple[float, float], one_off: float) -> tuple[float, float]:
    """Value of a saving a day that sets in by the calendar, and the saving of a month once all has moved."""
    cash = moved(len(daily_usd), *calendar) * daily_usd
    return present(cash) - one_off, float(daily_usd.mean()) * MONTH
