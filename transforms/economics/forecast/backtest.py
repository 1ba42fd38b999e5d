"""How far past forecasts were from what came: rolling origins, each knowing only the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.economics.forecast.prediction_interval import P90
from transforms.economics.forecast.smoothing import DEFAULT_LANE, NAIVE_LANE, WEEK, Floats, Integers, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HORIZON: Final = 28
LEAST_HISTORY: Final = 28
_FOLDS_FOR_CHOICE: Final = 12
_FOLDS_FOR_ERRORS: Final = 26
# What is known on a day rests on its last folds, on the spread each was held against, and on the lane chosen for those.
FOLDS_BEFORE: Final = 2 * _FOLDS_FOR_ERRORS + _FOLDS_FOR_CHOICE + 3 * (HORIZON // 7)
"""How many Mondays before a day tell all that is known on it."""
_LARGEST_LOG_ERROR: Final = 3.0
_LEAST_SIGMA, _FEW_FOLDS, _FEW_FOLDS_SIGMA, SHORT_SIGMA = 0.02, 3, 0.5, 1.0


@dataclass(frozen=True)
class Folds:
    """The percentage errors of every past origin: folds × series × lanes, not a number where nothing was served.

    They are the mean absolute ones over the days with service. Origins are Mondays, so that a fold stays the same fold
    on every night; a series counts from the fold four weeks after its start.
    """

    origins: Integers
    starts: Integers
    percent: Floats

    def window(self, stop: int, length: int) -> tuple[Integers, Floats]:
        """The last folds of each series whose four weeks are over before `stop`: their numbers, and 1 where they count.

        Both are series × length; a number that does not count points at fold 0.
        """
        end = int((self.origins + HORIZON <= stop).sum())
        first = np.searchsorted(self.origins, self.starts + LEAST_HISTORY)
        numbers = end - length + np.arange(length)[None, :] + np.zeros((len(self.starts), 1), dtype=np.int64)
        counts = numbers >= np.maximum(first, 0)[:, None]
        return np.where(counts, numbers, 0), counts.astype(np.float64)


@dataclass(frozen=True)
class Made:
    """The errors of the forecasts that would have been made, of the lane winning before each fold: folds × series.

    total is the log ratio of the four weeks' sum, daily the root mean square log ratio of single days in each week
    ahead, for which it has a week behind the series.
    """

    percent: Floats
    total: Floats
    daily: Floats


@dataclass(frozen=True)
class Accuracy:
    """What is known on one day of the errors of every series: the lane that was winning, and how far it has been off.

    Arrays have one row per series; percentages and coverage are not a number where no fold tells.
    """

    lane: Integers
    folds: Integers
    percent: Floats
    naive_percent: Floats
    sigma: Floats
    day_sigmas: Floats
    coverage: Floats


def accuracies(
    values: Floats, starts: Integers, first_weekday: int, origins: Mapping[int, State], stops: Sequence[int]
) -> dict[int, Accuracy]:
    """What was known before each stop; the lane of a fold, and the width it is held against, precede the fold.

    `origins` are the Mondays from which the four weeks after them are forecast, with the state of each.
    """
    if not origins:
        return {stop: _nothing(len(starts)) for stop in stops}
    forecasts = [_Forecast(state, values, origin, first_weekday) for origin, state in origins.items()]
    past = Folds(np.asarray(list(origins)), starts, np.stack([forecast.percent() for forecast in forecasts]))
    made = _made(past, forecasts)
    widths = np.stack([_spread(made.total, past, origin) for origin in origins])
    return {stop: _accuracy(made, past, widths, stop) for stop in stops}


class _Forecast:
    """The four weeks after an origin as expected there and as they came: series × lanes × days."""

    def __init__(self, state: State, values: Floats, origin: int, first_weekday: int) -> None:
        self._state, self._weekday = state, (first_weekday + origin) % WEEK
        self._came = values[:, None, origin : origin + HORIZON]

    def percent(self) -> Floats:
        """The mean absolute percentage error of each lane over the days with service."""
        is_served = self._came > 0
        off = np.abs(self._state.forecast(self._weekday, HORIZON) - self._came) / np.where(is_served, self._came, 1.0)
        days = np.maximum(is_served.sum(axis=2), 1)
        return np.where(is_served.any(axis=2), (off * is_served).sum(axis=2) / days, np.nan)

    def of(self, lanes: Integers) -> tuple[Floats, Floats]:
        """The log ratios of one lane of each series: of the four weeks' sum, and of single days week by week."""
        expected = self._state.of(lanes).forecast(self._weekday, HORIZON)
        total = _log_ratio(self._came.sum(axis=2), expected.sum(axis=2))[:, 0]
        daily = _log_ratio(self._came, expected).reshape(len(lanes), HORIZON // WEEK, WEEK)
        return total, np.sqrt((daily**2).mean(axis=2))


def _made(past: Folds, forecasts: Sequence[_Forecast]) -> Made:
    chosen = [_choice(past, int(origin)) for origin in past.origins]
    percent = np.take_along_axis(past.percent, np.stack(chosen)[:, :, None], axis=2)[:, :, 0]
    errors = [forecast.of(lanes) for forecast, lanes in zip(forecasts, chosen, strict=True)]
    total, daily = (np.stack(part) for part in zip(*errors, strict=True))
    return Made(percent, total, daily)


def _log_ratio(actual: Floats, expected: Floats) -> Floats:
    """ln(actual / expected) within ±3; nothing expected and nothing come is no error."""
    tiny = 1e-12
    ratio = np.log(np.maximum(actual, tiny)) - np.log(np.maximum(expected, tiny))
    return np.asarray(np.clip(ratio, -_LARGEST_LOG_ERROR, _LARGEST_LOG_ERROR))


def _choice(past: Folds, stop: int) -> Integers:
    """The lane of the least mean percentage error over the last folds known; the first of equals."""
    numbers, counts = past.window(stop, _FOLDS_FOR_CHOICE)
    recent = past.percent[numbers, np.arange(len(numbers))[:, None], :]
    counts = counts * ~np.isnan(recent).any(axis=2)
    fold_count = counts.sum(axis=1)
    mean = (np.nan_to_num(recent) * counts[:, :, None]).sum(axis=1) / np.maximum(fold_count, 1)[:, None]
    return np.where(fold_count > 0, mean.round(9).argmin(axis=1), DEFAULT_LANE)


def _recent(errors: Floats, numbers: Integers) -> Floats:
    """Series × folds (× weeks) of the folds numbered."""
    return np.asarray(errors[numbers, np.arange(len(numbers))[:, None]])


def _spread(total: Floats, past: Folds, stop: int) -> Floats:
    """Standard deviation of the log of a four weeks' sum around its forecast."""
    numbers, counts = past.window(stop, _FOLDS_FOR_ERRORS)
    fold_count = counts.sum(axis=1)
    square = (_recent(total, numbers) ** 2 * counts).sum(axis=1) / np.maximum(fold_count, 1)
    return np.where(fold_count < _FEW_FOLDS, _FEW_FOLDS_SIGMA, np.maximum(np.sqrt(square), _LEAST_SIGMA))


def _accuracy(made: Made, past: Folds, widths: Floats, stop: int) -> Accuracy:
    numbers, counts = past.window(stop, _FOLDS_FOR_ERRORS)
    fold_count = counts.sum(axis=1)
    sigma = _spread(made.total, past, stop)
    daily = (_recent(made.daily, numbers) ** 2 * counts[:, :, None]).sum(axis=1) / np.maximum(fold_count, 1)[:, None]
    has_few = fold_count < _FEW_FOLDS
    inside = np.abs(_recent(made.total, numbers)) <= P90 * _recent(widths, numbers)
    return Accuracy(
        lane=_choice(past, stop),
        folds=fold_count.astype(np.int64),
        percent=_mean(_recent(made.percent, numbers), counts),
        naive_percent=_mean(_recent(past.percent[:, :, NAIVE_LANE], numbers), counts),
        sigma=sigma,
        day_sigmas=np.where(has_few[:, None], sigma[:, None], np.sqrt(daily)),
        coverage=np.where(has_few, np.nan, (inside * counts).sum(axis=1) / np.maximum(fold_count, 1)),
    )


def _mean(errors: Floats, counts: Floats) -> Floats:
    """Mean over the folds that count and tell; not a number where none does."""
    telling = counts * ~np.isnan(errors)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.nan_to_num(errors) * telling).sum(axis=1) / telling.sum(axis=1))


def _nothing(series: int) -> Accuracy:
    """No fold yet: the errors of a few."""
    empty = np.full(series, np.nan)
    sigma = np.full(series, _FEW_FOLDS_SIGMA)
    lanes = np.full(series, DEFAULT_LANE, dtype=np.int64)
    weeks = np.repeat(sigma[:, None], HORIZON // WEEK, axis=1)
    return Accuracy(lanes, np.zeros(series, dtype=np.int64), empty, empty, sigma, weeks, empty)
