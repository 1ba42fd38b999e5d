"""Where a loss curve is heading: the tail L(t) = E + B·t^−b, and how far such forecasts were off.

A run's own residuals are far too small to say how far its end may be: they cover the noise of a step, not the shape of
what is to come. So the interval is taken from the same forecast made of past runs at the same point of their way.

Reference: Vovk et al. 2005, Algorithmic Learning in a Random World (conformal prediction, leave one out).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.decisions.law.laws import Floats

COVERAGE: Final = 0.8
_EXPONENTS: Final = np.linspace(0.05, 1.0, 39)
_POINTS: Final = 60
_WARM_UP: Final = 0.1
LEAST_POINTS: Final = 8


@dataclass(frozen=True)
class Curve:
    """Losses of one run by tokens, in order."""

    tokens: Floats
    loss: Floats

    def until(self, share: float) -> Curve:
        """The curve up to a share of its tokens."""
        kept = self.tokens <= share * self.tokens[-1]
        return Curve(self.tokens[kept], self.loss[kept])


def tail_loss(curve: Curve, tokens: float) -> float | None:
    """Loss expected at `tokens`; None where the curve is too short to have a tail."""
    late = curve.tokens > _WARM_UP * curve.tokens[-1] if curve.tokens.size else np.zeros(0, dtype=bool)
    if late.sum() < LEAST_POINTS:
        return None
    seen, loss = _thinned(curve.tokens[late], curve.loss[late])
    basis = (seen[None, :] / seen[-1]) ** -_EXPONENTS[:, None]
    centred, gap = basis - basis.mean(axis=1, keepdims=True), loss - loss.mean()
    slope = np.maximum((centred * gap).sum(axis=1) / (centred**2).sum(axis=1), 0)
    floor = np.maximum(loss.mean() - slope * basis.mean(axis=1), 0)
    misfit = ((floor[:, None] + slope[:, None] * basis - loss) ** 2).sum(axis=1)
    best = int(misfit.argmin())
    return float(floor[best] + slope[best] * (tokens / seen[-1]) ** -_EXPONENTS[best])


def _thinned(tokens: Floats, loss: Floats) -> tuple[Floats, Floats]:
    """Means of equal stretches of the logarithm of tokens, so that the dense end does not drown the rest."""
    edges = np.geomspace(tokens[0], tokens[-1] * (1 + 1e-9), _POINTS + 1)
    which = np.clip(np.searchsorted(edges, tokens, side="right") - 1, 0, _POINTS - 1)
    counts = np.bincount(which, minlength=_POINTS)
    filled = counts > 0
    means = [
        np.bincount(which, weights=values, minlength=_POINTS)[filled] / counts[filled] for values in (tokens, loss)
    ]
    return means[0], means[1]


def forecast_errors(past: Sequence[Curve], share: float) -> Floats:
    """Logarithm of the true end over the forecast, of each past run seen up to `share` of its tokens."""
    errors = []
    for curve in past:
        expected = tail_loss(curve.until(share), float(curve.tokens[-1]))
        if expected is not None and expected > 0:
            errors.append(np.log(_end(curve) / expected))
    return np.array(errors)


def _end(curve: Curve) -> float:
    """Loss at the end: the mean of the last hundredth, because single steps are noisy."""
    return float(curve.loss[curve.tokens >= 0.99 * curve.tokens[-1]].mean())


def half_width(errors: Floats) -> float | None:
    """Half of the conformal interval of the logarithm; None where too few errors are known for the coverage."""
    rank = int(np.ceil((errors.size + 1) * COVERAGE))
    return None if rank > errors.size else float(np.sort(np.abs(errors))[rank - 1])
