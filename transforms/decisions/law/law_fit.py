"""Fitting L(N, D) to runs, and how far the fit can be trusted.

Minimises the sum over runs of Huber(log loss − LSE(a − alpha·ln N, b − beta·ln D, e)), delta 1e-3.

Reference: Hoffmann et al. 2022 (arXiv:2203.15556, section 3.3); Besiroglu et al. 2024 (arXiv:2404.10102): the sum, not
the mean, because an optimiser with absolute tolerances stops early on a small mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.decisions.law.batched_bfgs import minimise
from transforms.decisions.law.laws import Law

if TYPE_CHECKING:
    import numpy.typing as npt

    from transforms.decisions.law.laws import Floats

HUBER_DELTA: Final = 1e-3
BOOTSTRAPS: Final = 4000
_SCALE: Final = 1e4
_TOLERANCE: Final = 1e-7
# Grid of starts in alpha, beta, the share of the reducible loss in size, and E as a share of the least loss.
_EXPONENTS: Final = (0.2, 0.35, 0.6, 1.0)
_SIZE_SHARES: Final = (0.2, 0.5, 0.8)
_FLOORS: Final = (0.3, 0.6, 0.9)


@dataclass(frozen=True)
class Points:
    """Final losses of runs by size and data."""

    params: Floats
    tokens: Floats
    loss: Floats

    def centres(self) -> tuple[float, float]:
        """Mean logarithms of size and data; centring them makes the five parameters nearly independent."""
        return float(np.log(self.params).mean()), float(np.log(self.tokens).mean())


@dataclass(frozen=True)
class Fits:
    """Laws found, one after another, and the objective of each: the sum of Huber losses of log loss."""

    law: Law
    objective: Floats


def _objective(points: Points, weights: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Weighted sum of Huber losses and its gradient in (a, b, e, alpha, beta) at centred logarithms, row for row."""
    size_centre, data_centre = points.centres()
    log_params, log_tokens = np.log(points.params) - size_centre, np.log(points.tokens) - data_centre
    a, b, e, alpha, beta = (theta[:, [column]] for column in range(5))
    by_size, by_data = np.exp(a - alpha * log_params), np.exp(b - beta * log_tokens)
    total = by_size + by_data + np.exp(e)
    residual = np.log(total) - np.log(points.loss)
    clipped = np.clip(residual, -HUBER_DELTA, HUBER_DELTA)
    value = (weights * clipped * (residual - clipped / 2)).sum(axis=1)
    slope = weights * clipped / total
    by_size *= slope
    by_data *= slope
    e_slope = slope.sum(axis=1) * np.exp(e[:, 0])
    exponents = (-(by_size * log_params).sum(axis=1), -(by_data * log_tokens).sum(axis=1))
    parts = (by_size.sum(axis=1), by_data.sum(axis=1), e_slope, *exponents)
    return value * _SCALE, np.stack(parts, axis=1) * _SCALE


def _starts(points: Points) -> Floats:
    least, middle = float(np.log(points.loss.min())), float(np.median(points.loss))
    rows = []
    for alpha, beta, share, floor in product(_EXPONENTS, _EXPONENTS, _SIZE_SHARES, _FLOORS):
        reducible = max(middle - floor * np.exp(least), 0.05)
        rows.append((np.log(reducible * share), np.log(reducible * (1 - share)), least + np.log(floor), alpha, beta))
    return np.array(rows)


def _law(points: Points, theta: Floats) -> Law:
    size_centre, data_centre = points.centres()
    a, b, e, alpha, beta = theta.T
    return Law(np.exp(e), np.exp(a + alpha * size_centre), np.exp(b + beta * data_centre), alpha, beta)


def _minimise(points: Points, weights: Floats, starts: Floats) -> tuple[Floats, Floats]:
    def objective(theta: Floats, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        with np.errstate(all="ignore"):
            return _objective(points, weights[rows], theta)

    thetas, values = minimise(objective, starts, _TOLERANCE)
    return thetas, values / _SCALE


def _optimum(points: Points) -> tuple[Floats, float]:
    starts = _starts(points)
    theta, values = _minimise(points, np.ones((len(starts), len(points.loss))), starts)
    best = int(np.nanargmin(values))
    return theta[best], float(values[best])


def fit(points: Points) -> Fits:
    """The law of least objective over all starts, as the only row."""
    theta, value = _optimum(points)
    return Fits(_law(points, theta[None, :]), np.array([value]))


def bootstrap(points: Points, draws: int, generator: np.random.Generator) -> Fits:
    """Laws of resampled points, one row per draw, each started from the law of all points."""
    theta, _ = _optimum(points)
    count = len(points.loss)
    weights = generator.multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
    thetas, values = _minimise(points, weights, np.tile(theta, (draws, 1)))
    return Fits(_law(points, thetas), values)
