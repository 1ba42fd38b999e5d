"""Exponential smoothing with a weekly season and a damped trend, many series and settings at once.

Reference: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.3 (Holt-Winters,
damped multiplicative). Level and season are corrected by the error of the forecast itself, never by dividing by the
season, so days of the week without any service do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

WEEK: Final = 7
WARM_UP_DAYS: Final = 14
DAMPING: Final = 0.98
_GRID: Final = np.array(list(product((0.1, 0.3, 0.9), (0.0, 0.05), (0.0, 0.05, 0.2))))
_MOST_SEASONAL: Final = 7.0
SMOOTHED_LANES: Final = len(_GRID)
NAIVE_LANE: Final = SMOOTHED_LANES
DEFAULT_LANE: Final = 7  # level 0.3, no trend, season 0.05


@dataclass
class State:
    """Level, trend and season of every series and lane after the last day seen; the last lane repeats last week.

    Arrays are series × lanes, the season series × lanes × weekday.
    """

    level: Floats
    trend: Floats
    season: Floats

    def of(self, lanes: Integers) -> State:
        """One lane of each series."""
        each = np.arange(len(lanes)), lanes
        return State(self.level[each][:, None], self.trend[each][:, None], self.season[each][:, None])

    def forecast(self, weekday: int, days: int) -> Floats:
        """Series × lanes × days, the first of them on `weekday`."""
        ahead = np.cumsum(DAMPING ** np.arange(1, days + 1))
        level = np.maximum(self.level[..., None] + self.trend[..., None] * ahead, 0.0)
        return np.asarray(level * self.season[..., (weekday + np.arange(days)) % WEEK])


def states_at(values: Floats, starts: Integers, first_weekday: int, stops: Sequence[int]) -> dict[int, State]:
    """The states after the days before each stop; `values` is series × days, `starts` the first day of each series."""
    state = _initial(values, starts, first_weekday)
    kept: dict[int, State] = {}
    wanted = set(stops)
    for day in range(values.shape[1] + 1):
        if day in wanted:
            kept[day] = _with_last_week(state, values, day, first_weekday)
        if day < values.shape[1]:
            _step(state, values[:, day], starts + WARM_UP_DAYS <= day, (first_weekday + day) % WEEK)
    return kept


def _initial(values: Floats, starts: Integers, first_weekday: int) -> State:
    """The mean of the first two weeks of each series, and each weekday relative to it."""
    rows = np.arange(len(values))[:, None]
    days = np.minimum(starts[:, None] + np.arange(WARM_UP_DAYS), max(values.shape[1] - 1, 0))
    window = values[rows, days] if values.size else np.zeros((len(values), WARM_UP_DAYS))
    level = window.mean(axis=1)
    by_weekday = np.zeros((len(values), WEEK))
    np.add.at(by_weekday, (rows, (first_weekday + days) % WEEK), window / (WARM_UP_DAYS // WEEK))
    season = by_weekday / np.where(level > 0, level, 1.0)[:, None]
    season[level <= 0] = 1.0
    lanes = SMOOTHED_LANES
    return State(
        np.repeat(level[:, None], lanes, axis=1),
        np.zeros((len(values), lanes)),
        np.repeat(season[:, None, :], lanes, axis=1),
    )


def _step(state: State, today: Floats, is_active: npt.NDArray[np.bool_], weekday: int) -> None:
    """One day further: level, trend and the season of the weekday move towards what was seen."""
    alpha, beta, gamma = (_GRID[:, column][None, :] for column in range(3))
    season = state.season[:, :, weekday]
    expected = state.level + DAMPING * state.trend
    error = today[:, None] - expected * season
    level = np.maximum(expected + alpha * error * season / np.maximum(1.0, season**2), 0.0)
    trend = (1 - beta) * DAMPING * state.trend + beta * (level - state.level)
    seen = today[:, None] / np.where(level > 0, level, 1.0)
    moved = np.clip(season + gamma * (seen - season), 0.0, _MOST_SEASONAL)
    active = is_active[:, None]
    state.season[:, :, weekday] = np.where(active & (level > 0), moved, season)
    state.level, state.trend = np.where(active, level, state.level), np.where(active, trend, state.trend)
    if weekday == 0:
        _normalise(state)


def _normalise(state: State) -> None:
    """Seven weekdays average 1, so that the level is the mean day."""
    mean = state.season.mean(axis=2)
    mean = np.where(mean > 0, mean, 1.0)
    state.season /= mean[:, :, None]
    state.level, state.trend = state.level * mean, state.trend * mean


def _with_last_week(state: State, values: Floats, day: int, first_weekday: int) -> State:
    """A copy with one lane more: last week as it was."""
    week = np.zeros((len(values), WEEK))
    seen = np.arange(max(day - WEEK, 0), day)
    week[:, (first_weekday + seen) % WEEK] = values[:, seen]
    level = week.mean(axis=1)
    season = np.where(level[:, None] > 0, week / np.where(level > 0, level, 1.0)[:, None], 1.0)
    return State(
        np.concatenate([state.level, level[:, None]], axis=1),
        np.concatenate([state.trend, np.zeros_like(level)[:, None]], axis=1),
        np.concatenate([state.season, season[:, None, :]], axis=1),
    )
