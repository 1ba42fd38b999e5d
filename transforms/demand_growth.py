"""Ways in which a demand may go on: a level, and its growth over the days ahead.

A path is one way; a forecast over a life is several of them with weights. Economics estimates them and decisions draws
from them, so their shapes are written here once. Beyond the longest horizon that back-tests reach, no growth and no
decline is carried at its full rate: its rate halves every 180 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

SHAPES: Final = ("level", "exponential", "linear", "annual")
HORIZON_DAYS: Final = (28, 90, 180)
YEAR_WEEKS: Final = 52
SIGMAS: Final = tuple(f"sigma_{days}" for days in HORIZON_DAYS)
# Beyond this spread of a logarithm numbers say nothing.
MOST_SIGMA: Final = 1.5
_LEAST_LINEAR: Final = 0.05
_MOST_LOG_GROWTH: Final = 6.0
_WEEK: Final = 7.0
_EDGES: Final = np.log(np.array(HORIZON_DAYS, dtype=np.float64))
_LEAST_SLOPE, _MOST_SLOPE = 0.3, 1.0
_FURTHEST, _BISECTIONS = 5.0, 36
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)


def grown_days(days: Floats, half_life: Floats) -> Floats:
    """Days of undamped growth that `days` of growth with a half-life amount to; inf is damped after 180 days alone.

    A growth that halves every 60 days adds up to 60 / ln 2 = 86.6 days of it at most.
    """
    last = float(HORIZON_DAYS[-1])
    is_damped = np.isfinite(half_life)
    rate = np.log(2) / np.where(is_damped, half_life, last)
    damped = -np.expm1(-rate * days) / rate
    late = -np.expm1(-rate * np.maximum(days - last, 0.0)) / rate
    return np.asarray(np.where(is_damped, damped, np.minimum(days, last) + late))


@dataclass(frozen=True)
class Paths:
    """Some paths side by side; season is paths × 52 weeks ahead relative to the level, 1 but for annual paths.

    Days count from the first day after the last known full week: 0 is its beginning.
    """

    weight: Floats
    level: Floats
    daily_growth: Floats
    half_life_days: Floats
    is_linear: npt.NDArray[np.bool_]
    season: Floats
    sigmas: Floats

    def relative(self, days: Floats) -> Floats:
        """Demand of moments ahead over the level; `days` is paths × moments."""
        gained = self.daily_growth[:, None] * grown_days(days, self.half_life_days[:, None])
        exponential = np.exp(np.clip(gained, -_MOST_LOG_GROWTH, _MOST_LOG_GROWTH))
        grown = np.where(self.is_linear[:, None], np.maximum(1 + gained, _LEAST_LINEAR), exponential)
        weeks = (days // _WEEK).astype(np.int64) % YEAR_WEEKS
        return np.asarray(grown * np.take_along_axis(self.season, weeks, axis=1))

    def total(self, first: Floats, last: Floats) -> Floats:
        """Demand between two moments ahead, each paths × windows."""
        half = (last - first) / 2
        moments = (first + half)[:, :, None] + half[:, :, None] * _NODES
        flat = moments.reshape(len(moments), moments.shape[1] * len(_NODES))
        mean = (self.relative(flat).reshape(moments.shape) * _NODE_WEIGHTS).sum(axis=2) / 2
        annual = self._annual(last) - self._annual(first)
        has_season = (self.season != 1).any(axis=1)[:, None]
        return np.asarray(self.level[:, None] * np.where(has_season, annual, mean * (last - first)))

    def _annual(self, days: Floats) -> Floats:
        """Integral of the season from its beginning: whole years, whole weeks and a part of the week."""
        ends = np.concatenate([np.zeros((len(self.season), 1)), self.season.cumsum(axis=1) * _WEEK], axis=1)
        years, rest = np.divmod(days / _WEEK, YEAR_WEEKS)
        week = rest.astype(np.int64)
        whole = np.take_along_axis(ends, week, axis=1)
        return np.asarray(
            years * ends[:, -1:] + whole + (rest - week) * _WEEK * np.take_along_axis(self.season, week, axis=1)
        )

    def spread(self, days: Floats) -> Floats:
        """Standard deviation of the logarithm of the demand from the beginning to moments ahead.

        Between two horizons it is a power of the days; beyond the last the power goes on, as a walk's root at least and
        as a misjudged growth at most.
        """
        logs = np.log(np.maximum(days, HORIZON_DAYS[0]))
        heights = np.log(self.sigmas)
        slopes = np.diff(heights, axis=1) / np.diff(_EDGES)
        beyond = np.clip(slopes[:, -1:], _LEAST_SLOPE, _MOST_SLOPE)
        first = heights[:, :1] + slopes[:, :1] * (logs - _EDGES[0])
        second = heights[:, 1:2] + slopes[:, 1:2] * (logs - _EDGES[1])
        third = heights[:, 2:] + beyond * (logs - _EDGES[2])
        height = np.where(logs <= _EDGES[1], first, np.where(logs <= _EDGES[2], second, third))
        return np.asarray(np.minimum(np.exp(height), MOST_SIGMA))

    def spread_within(self, first: Floats, last: Floats) -> Floats:
        """The same of windows ahead, such that errors that go together add up to those of the whole."""
        whole = last * self.spread(last) - first * self.spread(first)
        return np.asarray(np.minimum(whole / np.maximum(last - first, 1e-9), MOST_SIGMA))


def paths_of(rows: pl.DataFrame) -> Paths:
    """Paths from rows of economics.demand_paths, in their order."""
    numbers = rows.select(pl.col("half_life_days").fill_null(float("inf"))).to_series().to_numpy()
    season = np.ones((rows.height, YEAR_WEEKS))
    for number, weeks in enumerate(rows["season"].to_list()):
        if weeks is not None:
            season[number] = weeks
    return Paths(
        weight=rows["weight_ratio"].to_numpy(),
        level=rows["level"].to_numpy(),
        daily_growth=rows["daily_growth_ratio"].to_numpy(),
        half_life_days=numbers,
        is_linear=(rows["shape"] == "linear").to_numpy(),
        season=season,
        sigmas=rows.select(SIGMAS).to_numpy(),
    )


def mixture_quantiles(group: Integers, weight: Floats, log_median: Floats, sigma: Floats, level: float) -> Floats:
    """The quantile of each group of log-normal amounts that are mixed by their weights.

    Rows of a group stand together and their weights add up to 1. Found by bisection, to a billionth of a neper.
    """
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    low = np.minimum.reduceat(log_median - _FURTHEST * sigma, starts)
    high = np.maximum.reduceat(log_median + _FURTHEST * sigma, starts)
    row = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(group)))
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = np.add.reduceat(weight * ndtr((middle[row] - log_median) / sigma), starts) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.exp((low + high) / 2))


def window_quantiles(paths: Paths, first: Floats, last: Floats, level: float) -> Floats:
    """The quantile of what the paths of one series add up to in each window from `first` to `last` days ahead."""
    shape = (len(paths.weight), len(first))
    starts, ends = np.broadcast_to(first, shape), np.broadcast_to(last, shape)
    totals, sigma = np.log(paths.total(starts, ends)), paths.spread_within(starts, ends)
    group = np.repeat(np.arange(len(first)), len(paths.weight))
    weight = np.tile(paths.weight, len(first))
    return mixture_quantiles(group, weight, totals.T.ravel(), sigma.T.ravel(), level)
