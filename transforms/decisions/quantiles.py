"""Quantiles of draws: each row is sorted once, which is several times faster than asking for its quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from transforms.decisions.law.laws import Floats

_LEVELS: Final = np.array([0.1, 0.5, 0.9])
_HALF: Final = 0.5


def percentiles(draws: Floats) -> Floats:
    """P10, P50 and P90 along the last axis, on the straight line between two draws: bit for bit `numpy.quantile`."""
    ordered, last = np.sort(draws, axis=-1), draws.shape[-1] - 1
    places = _LEVELS * last
    below = np.floor(places).astype(np.intp)
    low, high, part = ordered[..., below], ordered[..., np.minimum(below + 1, last)], places - below
    gap = high - low
    between = np.where(part >= _HALF, high - gap * (1 - part), low + gap * part)
    return np.asarray(np.moveaxis(between, -1, 0))


def medians(draws: Floats) -> Floats:
    """The middle along the last axis, the mean of the two where their number is even."""
    ordered, last = np.sort(draws, axis=-1), draws.shape[-1] - 1
    return np.asarray((ordered[..., last // 2] + ordered[..., (last + 1) // 2]) / 2)


def median(draws: Floats) -> float:
    """The middle of the draws."""
    return float(medians(draws))


def weighted_quantiles(values: Floats, weights: Floats, levels: tuple[float, ...]) -> list[float]:
    """The values at which the weights, which add up to 1, reach each level."""
    order = np.argsort(values, kind="stable")
    reached = weights[order].cumsum()
    return [float(values[order][min(int(np.searchsorted(reached, level)), len(values) - 1)]) for level in levels]
