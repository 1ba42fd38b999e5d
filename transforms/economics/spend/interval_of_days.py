"""Which days of a series leave the interval of its own past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WEEK: Final = 7
HISTORY: Final = 28
"""Days before the first forecast: four same weekdays."""

TESTED: Final = 90
LEAST_TESTED: Final = 14
SIGMAS: Final = 6.0
TAILS: Final = 2.5
LEAST_BAND: Final = 0.08
WIDEST_BAND: Final = 6.9
"""A thousand times more or less: days of nothing are usual in such a past, and no day of it stands out."""
_TO_SIGMA: Final = 1.4826


class Outlier(NamedTuple):
    """A day outside: its position in the series, what was expected, the interval, and the days it was tested on."""

    position: int
    expected: float
    low: float
    high: float
    tested: int


def outliers(values: NDArray[np.float64], first: int) -> Iterator[Outlier]:
    """The days from `first` on that leave their interval.

    A day is expected to be the median of its last four same weekdays, moved to the level of the last week. The interval
    reaches six standard deviations of the logarithms of past one-day errors to each side, taken from their median so
    that a past outlier does not widen it, and two and a half times what nineteen of twenty of them keep within, which
    is more where tails are long. A new level is expected after half a week. A day after nothing has no interval, nor
    has one after a past in which days of nothing are usual.
    """
    errors: list[float] = []
    for index in range(max(HISTORY, first - TESTED), len(values)):
        expected = _expected(values, index)
        if expected <= 0:
            continue
        error = float(np.log(values[index] / expected)) if values[index] > 0 else -np.inf
        past = np.array(errors[-TESTED:])
        if index >= first and len(past) >= LEAST_TESTED:
            band = _band(past)
            if band < min(abs(error), WIDEST_BAND):
                yield Outlier(index, expected, expected * np.exp(-band), expected * np.exp(band), len(past))
        errors.append(max(error, -1e3))


def _expected(values: NDArray[np.float64], index: int) -> float:
    same = float(np.median(values[[index - WEEK * weeks for weeks in range(1, 5)]]))
    month = float(np.median(values[index - HISTORY : index]))
    week = float(np.median(values[index - WEEK : index]))
    return same * week / month if month > 0 else 0.0


def _band(errors: NDArray[np.float64]) -> float:
    """Half the width of the interval, as a difference of logarithms."""
    sigma = _TO_SIGMA * float(np.median(np.abs(errors - np.median(errors))))
    return max(SIGMAS * sigma, TAILS * float(np.quantile(np.abs(errors), 0.95)), LEAST_BAND)
