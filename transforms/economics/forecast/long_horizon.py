"""Which ways of going on have come true so far: back-tests of weekly demand 28, 90 and 180 days ahead.

Each candidate is a level and a growth, estimated from the weeks before an origin. What it would have said at every past
week is held against what came, at each horizon by itself; the weight of a candidate is the likelihood of its errors,
and the spread around it is their size. The errors of the company's other series, but for the stop of one that was
stopped, stand in where a series has few of its own: their size for four weeks, and for longer horizons by how much they
grow from one horizon to the next.

Reference: Bates and Granger 1969, The combination of forecasts; Hyndman and Athanasopoulos, Forecasting: Principles and
Practice, 3rd ed., sections 5.10 (rolling origins) and 13.4 (combinations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.demand_growth import HORIZON_DAYS, YEAR_WEEKS, grown_days
from transforms.economics.forecast.smoothing import WEEK, Floats, Integers

LEAST_WEEKS: Final = 8
_FIRST_ORIGIN: Final = 4
_LEVEL_WEEKS: Final = 4
_SEASON_WEEKS: Final = 8
_HORIZON_WEEKS: Final = tuple(round(days / WEEK) for days in HORIZON_DAYS)
_MOST_FOLDS: Final = (39, 52, 78)
_MOST_WEEKLY_GROWTH: Final = 0.15
_MOST_ERROR: Final = 2.0
_MEAN_TO_SQUARE: Final = np.pi / 2  # a normal error's variance over the square of its mean size
# Errors of one week to the next overlap: as many weeks as the horizon are worth one and a half errors.
_WORTH_OF_A_HORIZON: Final = 1.5
_PRIOR_FOLDS: Final = 2.0
_POOLED_PRIOR_FOLDS: Final = 3.0
_CALIBRATING_FOLDS: Final = 3.0
# Before anything is known: 10 % over four weeks, and how much the variance grows from one horizon to the next.
_PRIOR_VARIANCE: Final = 0.10**2
_PRIOR_GROWTH: Final = (1.0, 2.2, 1.8)
# By horizon: no forecast is closer than the first, and none of a horizon without a fold of its own than the second.
_LEAST_SIGMA: Final = ((0.02, 0.05), (0.04, 0.08), (0.06, 0.12))
_TEMPER: Final = 0.5
_TINY: Final = 1e-3


class Candidate(NamedTuple):
    """One way of going on: its shape, the weeks its level or growth is taken from, and the half-life of the growth."""

    shape: str
    weeks: int
    half_life_days: float
    prior: float


CANDIDATES: Final = (
    Candidate("level", 2, np.inf, 0.20),
    Candidate("level", 6, np.inf, 0.20),
    *(
        Candidate("exponential", weeks, half_life, prior)
        for weeks in (8, 16, 26, 52)
        for half_life, prior in ((60.0, 0.03), (240.0, 0.05), (np.inf, 0.07))
    ),
    Candidate("linear", 16, np.inf, 0.05),
    Candidate("linear", 26, np.inf, 0.05),
    Candidate("annual", _SEASON_WEEKS, np.inf, 0.05),
)


@dataclass(frozen=True)
class Weeks:
    """The mean day of each full week of each series, and the number of the first full week of each."""

    values: Floats
    starts: Integers

    @property
    def logs(self) -> Floats:
        """Logarithms; a week far below what was seen before counts as a thousandth of it."""
        floor = np.maximum.accumulate(self.values, axis=1) * _TINY
        return np.asarray(np.log(np.maximum(self.values, np.maximum(floor, 1e-12))))


@dataclass(frozen=True)
class Outlooks:
    """What each candidate says after each number of known weeks, arrays candidates × series × weeks known.

    `log_level` and `weekly_growth` at the origin; `sigma` by horizon (horizons first) as calibrated, `weight` adds up
    to 1 over the candidates; `centre`, `spread` and `folds` are those of the combination, horizons × series × weeks.
    """

    log_level: Floats
    weekly_growth: Floats
    weight: Floats
    sigma: Floats
    centre: Floats
    spread: Floats
    came: Floats
    folds: Floats


def outlooks(weeks: Weeks) -> Outlooks:
    """The weights and spreads of every candidate after every week, each from what was known then alone."""
    origins = Origins(weeks)
    estimates = [origins.estimate(candidate) for candidate in CANDIDATES]
    each = list(zip(CANDIDATES, estimates, strict=True))
    log_means = np.stack(
        [[origins.log_mean(way, *estimate, ahead) for way, estimate in each] for ahead in _HORIZON_WEEKS]
    )
    came = np.stack([origins.came(ahead) for ahead in _HORIZON_WEEKS])
    variance, likelihood = _variances(origins, log_means, came)
    prior = np.log([candidate.prior for candidate in CANDIDATES])
    score = np.where(np.isfinite(log_means[-1]), likelihood + prior[:, None, None], -np.inf)
    weight = np.exp(score - score.max(axis=0))
    weight /= weight.sum(axis=0)
    centre, spread, factor, folds = _calibration(origins, log_means, came, variance, weight)
    level, growth = (np.stack(part) for part in zip(*estimates, strict=True))
    sigma = np.sqrt(variance * factor[:, None])
    return Outlooks(level, growth, weight, sigma, centre, spread, came, folds)


class Origins:
    """Every number of weeks known, from none to all, as an origin: sums of what lies before and after each."""

    def __init__(self, weeks: Weeks) -> None:
        self.logs, self.starts = weeks.logs, weeks.starts
        self.week_counts = np.arange(weeks.values.shape[1] + 1)
        self.top = self.logs.max(axis=1, keepdims=True)
        scaled = np.exp(self.logs - self.top)
        number = np.arange(weeks.values.shape[1])
        self._sums = {
            "logs": (_running(self.logs), _running(self.logs * number)),
            "scaled": (_running(scaled), _running(scaled * number)),
        }
        self.is_old = self.week_counts[None, :] - self.starts[:, None] >= _FIRST_ORIGIN
        self.is_served = weeks.values > 0

    def line(self, name: str, weeks: int) -> tuple[Floats, Floats, Floats]:
        """Mean, growth a week and number of weeks of the last ones before each origin, by least squares."""
        sums, moments = self._sums[name]
        first = np.minimum(np.maximum(self.week_counts - weeks, self.starts[:, None]), self.week_counts)
        count = (self.week_counts - first).astype(np.float64)
        total, moment = (
            part[:, self.week_counts] - np.take_along_axis(part, first, axis=1) for part in (sums, moments)
        )
        middle = (first + self.week_counts - 1) / 2
        growth = (moment - middle * total) / np.maximum(count * (count**2 - 1) / 12, 1e-9)
        return total / np.maximum(count, 1), np.where(count >= _LEVEL_WEEKS, growth, 0.0), count

    def estimate(self, candidate: Candidate) -> tuple[Floats, Floats]:
        """Logarithm of the level at each origin, and the growth a week from there on."""
        mean, growth, _ = self.line("logs", candidate.weeks)
        if candidate.shape in {"level", "annual"}:
            return mean, np.zeros_like(mean)
        if candidate.shape == "exponential":
            recent, _, count = self.line("logs", _LEVEL_WEEKS)
            growth = np.clip(growth, -_MOST_WEEKLY_GROWTH, _MOST_WEEKLY_GROWTH)
            return recent + growth * count / 2, growth
        recent, _, count = self.line("scaled", _LEVEL_WEEKS)
        gained = self.line("scaled", candidate.weeks)[1]
        level = np.maximum(recent + gained * count / 2, np.maximum(_TINY * recent, 1e-12))
        return np.log(level) + self.top, np.clip(gained / level, -_MOST_WEEKLY_GROWTH, _MOST_WEEKLY_GROWTH)

    def log_mean(self, candidate: Candidate, level: Floats, growth: Floats, ahead: int) -> Floats:
        """Logarithm of the mean week of the weeks ahead as a candidate says it; not a number where it says nothing."""
        if candidate.shape == "annual":
            return self._annual(level, ahead)
        nodes, node_weights = np.polynomial.legendre.leggauss(4)
        mean = np.zeros_like(level)
        for moment, part in zip((nodes + 1) / 2 * ahead * WEEK, node_weights / 2, strict=True):
            gained = growth * float(grown_days(np.array(moment), np.array(candidate.half_life_days))) / WEEK
            linear = candidate.shape == "linear"
            mean += part * (np.maximum(1 + gained, 0.05) if linear else np.exp(np.clip(gained, -6.0, 6.0)))
        return np.asarray(level + np.log(mean))

    def _annual(self, level: Floats, ahead: int) -> Floats:
        """The same weeks a year ago, as far above or below what led up to them."""
        sums = self._sums["scaled"][0]
        first, last = np.maximum(self.week_counts - YEAR_WEEKS, 0), np.maximum(self.week_counts - YEAR_WEEKS + ahead, 0)
        before = np.maximum(first - _SEASON_WEEKS, 0)
        then = np.log(np.maximum((sums[:, last] - sums[:, first]) / ahead, 1e-12)) + self.top
        logs = self._sums["logs"][0]
        led_up = (logs[:, first] - logs[:, before]) / _SEASON_WEEKS
        has_year_before = self.week_counts - YEAR_WEEKS - _SEASON_WEEKS >= self.starts[:, None]
        return np.where(has_year_before, level + np.clip(then - led_up, -2.0, 2.0), np.nan)

    def season(self, series: int, origin: int) -> Floats:
        """The 52 weeks after the same week a year ago, relative to the eight weeks that led up to it."""
        year = self.logs[series, origin - YEAR_WEEKS : origin]
        led_up = self.logs[series, origin - YEAR_WEEKS - _SEASON_WEEKS : origin - YEAR_WEEKS].mean()
        return np.asarray(np.exp(np.clip(year - led_up, -2.0, 2.0)))

    def came(self, ahead: int) -> Floats:
        """Logarithm of the mean week that came after each origin; not a number where it is not over."""
        sums = self._sums["scaled"][0]
        values = np.full(self.is_old.shape, np.nan)
        over = self.week_counts[self.week_counts + ahead < len(self.week_counts)]
        with np.errstate(divide="ignore"):
            values[:, over] = np.log((sums[:, over + ahead] - sums[:, over]) / ahead) + self.top
        return values

    def lasts(self, ahead: int) -> npt.NDArray[np.bool_]:
        """Whether the series still goes on at the end of the weeks after each origin.

        That one was stopped was decided, and says nothing of where those that go on will go.
        """
        last = np.clip(self.week_counts + ahead - 1, 0, self.is_served.shape[1] - 1)
        return np.asarray(self.is_served[:, last])

    def folds(self, values: Floats, horizon: int) -> Floats:
        """Sum of `values` by origin over the last ones whose horizon is over at each number of weeks known."""
        sums = _running(values)
        last = np.maximum(self.week_counts - _HORIZON_WEEKS[horizon] + 1, 0)
        return np.asarray(sums[..., last] - sums[..., np.maximum(last - _MOST_FOLDS[horizon], 0)])


def _running(values: Floats) -> Floats:
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(axis=-1)], axis=-1)


def _variances(origins: Origins, log_means: Floats, came: Floats) -> tuple[Floats, Floats]:
    """Of each candidate's errors at each horizon, as known after each week, and the logarithm of their likelihood."""
    variances, likelihood = np.zeros_like(log_means), np.zeros(log_means.shape[1:])
    before = np.full(log_means.shape[1:], _PRIOR_VARIANCE)
    pooled_before = np.full((log_means.shape[1], 1, log_means.shape[3]), _PRIOR_VARIANCE)
    for horizon, ahead in enumerate(_HORIZON_WEEKS):
        errors = np.clip(came[horizon][None] - log_means[horizon], -_MOST_ERROR, _MOST_ERROR)
        counts = np.isfinite(errors) & origins.is_old[None]
        size = origins.folds(np.where(counts, np.abs(errors), 0.0), horizon)
        number = origins.folds(counts.astype(np.float64), horizon)
        mean = size / np.maximum(number, 1)
        # the mean size and not the mean square: one step is not to widen every week after it
        variance = _MEAN_TO_SQUARE * mean**2
        lasting_folds = origins.folds((counts & origins.lasts(ahead)[None]).astype(np.float64), horizon)
        shared = origins.folds(np.where(counts & origins.lasts(ahead)[None], np.abs(errors), 0.0), horizon)
        every = (_MEAN_TO_SQUARE * (shared / np.maximum(lasting_folds, 1)) ** 2 * lasting_folds).sum(
            axis=1, keepdims=True
        ) / ahead
        prior = pooled_before * _PRIOR_GROWTH[horizon]
        seen = lasting_folds.sum(axis=1, keepdims=True) / ahead
        pooled = (every + _POOLED_PRIOR_FOLDS * prior) / (seen + _POOLED_PRIOR_FOLDS)
        expected = (
            before * np.clip(pooled / pooled_before, 1.0, 6.0) if horizon else np.broadcast_to(pooled, before.shape)
        )
        worth = number / ahead * _WORTH_OF_A_HORIZON
        own = (variance * worth + _PRIOR_FOLDS * expected) / (worth + _PRIOR_FOLDS)
        least, untested = _LEAST_SIGMA[horizon]
        variances[horizon] = np.maximum(own, (least + (untested - least) / (1 + worth)) ** 2)
        likelihood -= _TEMPER / 2 * (worth + _PRIOR_FOLDS) * np.log(variances[horizon])
        before, pooled_before = variances[horizon], pooled
    return variances, likelihood


def _calibration(
    origins: Origins, log_means: Floats, came: Floats, variance: Floats, weight: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Centre and spread of the combination by horizon, what its past squared errors say of the spread, and folds.

    The factor of a horizon without errors of its own is that of the horizon before.
    """
    centres, spreads, factors, folds = [], [], [], []
    last = np.ones(weight.shape[1:])
    for horizon, ahead in enumerate(_HORIZON_WEEKS):
        each = np.nan_to_num(log_means[horizon])
        centre = (weight * each).sum(axis=0)
        square = (weight * (variance[horizon] + (each - centre) ** 2)).sum(axis=0)
        ratio = np.clip((came[horizon] - centre) ** 2 / square, 0.0, 9.0)
        counts = np.isfinite(ratio) & origins.is_old
        number = origins.folds(counts.astype(np.float64), horizon)
        worth = number / ahead * _WORTH_OF_A_HORIZON
        size = origins.folds(np.where(counts, ratio, 0.0), horizon)
        mean = size / np.maximum(number, 1)
        goes_on = counts & origins.lasts(ahead)
        seen = origins.folds(goes_on.astype(np.float64), horizon).sum(axis=0) / ahead
        surprised = origins.folds(np.where(goes_on, ratio, 0.0), horizon).sum(axis=0) / ahead
        pooled = (surprised + _POOLED_PRIOR_FOLDS * last) / (seen + _POOLED_PRIOR_FOLDS)
        # what surprised the company's other series may yet surprise this one; that they were calm narrows nothing
        last = np.maximum(last, pooled)
        last = np.clip((mean * worth + _CALIBRATING_FOLDS * last) / (worth + _CALIBRATING_FOLDS), 0.2, 4.0)
        centres.append(centre)
        spreads.append(np.sqrt(square * last))
        factors.append(last)
        folds.append(number)
    return np.stack(centres), np.stack(spreads), np.stack(factors), np.stack(folds)
