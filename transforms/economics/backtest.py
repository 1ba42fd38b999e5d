"""How far past forecasts were from what came: rolling origins, each knowing only the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.economics.smoothing import DEFAULT_LANE, NAIVE_LANE, WEEK, Floats, Integers, State

if TYPE_CHECKING:
    from collections.abc import Sequence

HORIZON: Final = 28
LEAST_HISTORY: Final = 28
_FOLDS_FOR_CHOICE: Final = 12
_FOLDS_FOR_ERRORS: Final = 26
_LARGEST_LOG_ERROR: Final = 3.0
_LEAST_SIGMA, _FEW_FOLDS, _FEW_FOLDS_SIGMA, _SHORT_SIGMA = 0.02, 3, 0.5, 1.0
_P90: Final = 1.2815515655446004


@dataclass(frozen=True)
class Folds:
    """Errors of every past origin: `percent` and `total` are folds × series × lanes, `daily` has a week before lanes.

    percent is the mean absolute percentage error over the days with service, total the log ratio of the four weeks'
    sum, daily the root mean square log ratio of single days in each week ahead. Origins are Mondays, so that a fold
    stays the same fold on every night.
    """

    origins: Integers
    percent: Floats
    total: Floats
    daily: Floats

    def complete(self, stop: int, start: int) -> Integers:
        """The folds of a series from `start` whose four weeks are over before `stop`."""
        is_complete = (self.origins + HORIZON <= stop) & (self.origins >= start + LEAST_HISTORY)
        return np.asarray(np.flatnonzero(is_complete), dtype=np.int64)


@dataclass(frozen=True)
class Accuracy:
    """What is known of one series' errors on one day: the lane chosen and how far it has been off."""

    lane: int
    folds: int
    percent: float | None
    naive_percent: float | None
    sigma: float
    day_sigmas: list[float]
    coverage: float | None


def folds(values: Floats, first_weekday: int, states: dict[int, State], origins: Sequence[int]) -> Folds:
    """The errors of forecasts made at each origin for the four weeks after it."""
    errors = [
        _errors(values[:, origin : origin + HORIZON], states[origin].forecast((first_weekday + origin) % WEEK, HORIZON))
        for origin in origins
    ]
    shape = (0, len(values), NAIVE_LANE + 1)
    stacked = [np.stack(part) for part in zip(*errors, strict=True)] or [np.zeros(shape)] * 2 + [np.zeros((*shape, 4))]
    return Folds(np.asarray(origins, dtype=np.int64), *stacked)


def _errors(came: Floats, expected: Floats) -> tuple[Floats, Floats, Floats]:
    actual = came[:, None, :]
    served = actual > 0
    off = np.abs(expected - actual) / np.where(served, actual, 1.0)
    days = np.maximum(served.sum(axis=2), 1)
    percent = np.where(served.any(axis=2), (off * served).sum(axis=2) / days, np.nan)
    total = _log_ratio(actual.sum(axis=2), expected.sum(axis=2))
    daily = _log_ratio(actual, expected).reshape(*expected.shape[:2], HORIZON // WEEK, WEEK)
    return percent, total, np.sqrt((daily**2).mean(axis=3))


def _log_ratio(actual: Floats, expected: Floats) -> Floats:
    """ln(actual / expected) within ±3; nothing expected and nothing come is no error."""
    tiny = 1e-12
    ratio = np.log(np.maximum(actual, tiny)) - np.log(np.maximum(expected, tiny))
    return np.asarray(np.clip(ratio, -_LARGEST_LOG_ERROR, _LARGEST_LOG_ERROR))


def accuracies(past: Folds, series: int, start: int, stops: Sequence[int]) -> dict[int, Accuracy]:
    """What was known of one series' errors before each stop; the lane of a fold is chosen before the fold begins."""
    lanes = [_choice(past, past.complete(int(origin), start), series) for origin in past.origins]
    spreads = [_spread(past, past.complete(int(origin), start), series, lanes) for origin in past.origins]
    return {stop: _accuracy(past, past.complete(stop, start), series, lanes, spreads) for stop in stops}


def _choice(past: Folds, known: Integers, series: int) -> int:
    """The lane of the least mean percentage error over the last folds known; the first of equals."""
    recent = past.percent[known[-_FOLDS_FOR_CHOICE:], series, :]
    recent = recent[~np.isnan(recent).any(axis=1)]
    return int(np.argmin(recent.mean(axis=0).round(9))) if len(recent) else DEFAULT_LANE


def _spread(past: Folds, known: Integers, series: int, lanes: Sequence[int]) -> float:
    """Standard deviation of the log of a four weeks' sum around its forecast."""
    recent = known[-_FOLDS_FOR_ERRORS:]
    if len(recent) < _FEW_FOLDS:
        return _FEW_FOLDS_SIGMA
    errors = past.total[recent, series, [lanes[fold] for fold in recent]]
    return float(max(np.sqrt((errors**2).mean()), _LEAST_SIGMA))


def _accuracy(past: Folds, known: Integers, series: int, lanes: Sequence[int], spreads: Sequence[float]) -> Accuracy:
    recent = known[-_FOLDS_FOR_ERRORS:]
    chosen = [lanes[fold] for fold in recent]
    inside = np.abs(past.total[recent, series, chosen]) <= _P90 * np.asarray([spreads[fold] for fold in recent])
    daily = past.daily[recent, series, chosen]
    sigma = _spread(past, known, series, lanes)
    has_few = len(recent) < _FEW_FOLDS
    return Accuracy(
        lane=_choice(past, known, series),
        folds=len(recent),
        percent=_mean(past.percent[recent, series, chosen]),
        naive_percent=_mean(past.percent[recent, series, NAIVE_LANE]),
        sigma=sigma,
        day_sigmas=[sigma] * (HORIZON // WEEK) if has_few else [float(x) for x in np.sqrt((daily**2).mean(axis=0))],
        coverage=None if has_few else float(inside.mean()),
    )


def _mean(errors: Floats) -> float | None:
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if len(known) else None


def short_history() -> Accuracy:
    """Under four weeks nothing can be tested: P10 to P90 from a quarter to almost four times the level."""
    return Accuracy(NAIVE_LANE, 0, None, None, _SHORT_SIGMA, [_SHORT_SIGMA] * (HORIZON // WEEK), None)
