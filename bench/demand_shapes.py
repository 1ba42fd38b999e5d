"""Demand of many shapes, invented: what a forecast over a life is held against."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHAPES: Final = (
    "flat",
    "weekly",
    "growth",
    "decline",
    "linear",
    "step_up",
    "step_down",
    "annual",
    "wandering",
)
_YEAR: Final = 365.25


def demand(shape: str, series: int, days: int, dice: np.random.Generator) -> Floats:
    """Series × days of one shape: each day off by 3 to 15 %, and a level that wanders 1 to 6 % in four weeks.

    growth is 0.6 % a day and decline 0.4 %, each up to a fifth more or less; a step multiplies or divides by 1.3 to 2.5
    on any day but the first and last 60; a year swings by 20 to 50 %.
    """
    day = np.arange(days)[None, :]
    noise = dice.uniform(0.03, 0.15, (series, 1)) * dice.standard_normal((series, days))
    steps = dice.uniform(0.005, 0.03, (series, 1)) / np.sqrt(7) * dice.standard_normal((series, days))
    wander = (4 if shape == "wandering" else 1) * steps.cumsum(axis=1)
    weekend = (day + dice.integers(0, 7, (series, 1))) % 7 >= 5
    week = np.ones((series, days)) if shape == "flat" else 1 - dice.uniform(0, 0.6, (series, 1)) * weekend
    level = 1e9 * np.exp(dice.normal(0, 1, (series, 1)))
    return np.asarray(level * week * np.exp(noise + wander + _trend(shape, series, day, dice)))


def _trend(shape: str, series: int, day: npt.NDArray[np.int64], dice: np.random.Generator) -> Floats:
    """Logarithm of the level by day."""
    uneven = dice.uniform(0.8, 1.2, (series, 1))
    if shape in {"growth", "decline"}:
        return np.asarray((0.006 if shape == "growth" else -0.004) * uneven * day)
    if shape == "linear":
        return np.asarray(np.log1p(day / dice.uniform(60, 200, (series, 1))))
    if shape.startswith("step"):
        at = dice.integers(60, day.shape[1] - 60, (series, 1))
        size = np.log(dice.uniform(1.3, 2.5, (series, 1)))
        return np.where(day >= at, size if shape == "step_up" else -size, 0.0)
    if shape == "annual":
        turned = dice.uniform(0, 1, (series, 1))
        return np.asarray(dice.uniform(0.2, 0.5, (series, 1)) * np.sin(2 * np.pi * (day / _YEAR + turned)))
    return np.zeros((series, day.shape[1]))
