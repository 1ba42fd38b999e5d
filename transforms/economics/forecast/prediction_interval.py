"""What a series is expected to sum up to over the days ahead, and how wide that is.

The level follows a random walk whose four-week steps have the spread of past errors. The mean of the level over n
blocks of four weeks has the variance (n + 1)(2n + 1)/6n of one step: 1 over the first block, n/3 in the long run.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from transforms.economics.forecast.smoothing import DAMPING, WEEK, Floats

BLOCK_DAYS: Final = 28
P90: Final = 1.2815515655446004
MOST_SIGMA: Final = 1.5


def daily_medians(states: pl.DataFrame, first: date, ahead: Floats) -> Floats:
    """Series × days from `first` on: the level with its damped trend, and the season of the weekday.

    `ahead` counts each day from the last known one of a series on, the first unknown day is 1.
    """
    if states.is_empty():
        return np.zeros((0, ahead.shape[1]))
    gained = np.cumsum(DAMPING ** np.arange(1.0, ahead.max() + 1))[ahead.astype(np.int64) - 1]
    level = states["level"].to_numpy()[:, None] + states["trend"].to_numpy()[:, None] * gained
    season = np.array(states["season"].to_list())
    weekdays = (first.weekday() + np.arange(ahead.shape[1])) % WEEK
    return np.asarray(np.maximum(level, 0.0) * season[:, weekdays])


def median_sum(level: Floats, trend: Floats, days: Floats) -> Floats:
    """Level times days, plus the damped trend summed up over them: Σ_h φ(1 − φ^h)/(1 − φ)."""
    gained = DAMPING / (1 - DAMPING) * (days - DAMPING * (1 - DAMPING**days) / (1 - DAMPING))
    return np.asarray(np.maximum(level * days + trend * gained, 0.0))


def _growth(days: Floats) -> Floats:
    """Variance of the mean level over `days` against that of one four-week step."""
    blocks = np.maximum(days / BLOCK_DAYS, 1.0)
    return np.asarray((blocks + 1) * (2 * blocks + 1) / (6 * blocks))


def spread(sigma: Floats, days: Floats) -> Floats:
    """Standard deviation of the logarithm of the sum over `days`, at most 1.5: beyond it numbers say nothing."""
    return np.asarray(np.minimum(sigma * np.sqrt(_growth(days)), MOST_SIGMA))


def spread_of_window(sigma: Floats, first: Floats, last: Floats) -> Floats:
    """The same of the sum over days `first` to `last` ahead, counted from 1: the walk until then and within."""
    walked = (first - 1) / BLOCK_DAYS
    return np.asarray(np.minimum(sigma * np.sqrt(walked + _growth(last - first + 1)), MOST_SIGMA))


def daily_spread(day_sigmas: Floats, sigma: Floats, days: Floats) -> Floats:
    """Series × days ahead: the errors of single days in each week ahead, and the walk after four weeks."""
    week = np.minimum((days - 1) // WEEK, day_sigmas.shape[1] - 1).astype(np.int64)
    walked = np.maximum(days - BLOCK_DAYS, 0) / BLOCK_DAYS
    near = np.take_along_axis(day_sigmas, week, axis=1)
    return np.asarray(np.minimum(np.sqrt(near**2 + sigma[:, None] ** 2 * walked), MOST_SIGMA))
