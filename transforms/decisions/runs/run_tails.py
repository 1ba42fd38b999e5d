"""Where a loss curve is heading: the tail L(t) = E + B·t^−b, and how far such forecasts were off.

A run's own residuals are far too small to say how far its end may be: they cover the noise of a step, not the shape of
what is to come. So the interval is taken from the same forecast made of past runs at the same point of their way, and
from runs of comparable scale: a small run says little of how far a large one may be off.

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
# Runs within this factor of each other's compute (or tokens, where no size is known) are comparable.
COMPARABLE: Final = 4.0
# Of the errors of larger runs in widths of smaller ones: above the coverage, because errors grow with the run itself.
_WIDENING_LEVEL: Final = 0.95
# Where no four past runs can tell the widening: 2.5, and no less than the public runs of 8.7B parameters were off from
# those of 2.8B and 4.2B, 9 % of the loss up to halfway and in proportion to what is left from there.
_ASSUMED_WIDENING: Final = 2.5
_ASSUMED_HALF_WIDTH, _ASSUMED_SLOPE = 0.09, 0.18
_EXPONENTS: Final = np.linspace(0.05, 1.0, 39)
_POINTS: Final = 60
_WARM_UP: Final = 0.1
LEAST_POINTS: Final = 8
_LEAST_HOLD_OUTS: Final = 4


@dataclass(frozen=True)
class Curve:
    """Losses of one run by tokens or steps, in order, and its scale: 6·N·D, or D where no size is known."""

    tokens: Floats
    loss: Floats
    scale: float = 1.0

    def until(self, share: float) -> Curve:
        """The curve up to a share of its tokens."""
        kept = self.tokens <= share * self.tokens[-1]
        return Curve(self.tokens[kept], self.loss[kept], self.scale)


@dataclass(frozen=True)
class Interval:
    """Half of an interval of the logarithm of the end, and what it rests on.

    `basis` is comparable_scale or smaller_scale; `runs` calibrate it; of `hold_outs` past runs that were each forecast
    from smaller ones alone, `coverage` lay within the interval before it was widened by `widening`, and
    `widened_coverage` after; they are None where there are none.
    """

    half_width: float | None
    basis: str
    runs: int
    widening: float
    hold_outs: int
    coverage: float | None
    widened_coverage: float | None


def tail_loss(curve: Curve, tokens: float) -> float | None:
    """Loss expected at `tokens`; None where the curve is too short to have a tail."""
    late = curve.tokens > _WARM_UP * curve.tokens[-1] if curve.tokens.size else np.zeros(0, dtype=bool)
    if late.sum() < LEAST_POINTS:
        return None
    seen, loss = thinned(curve.tokens[late], curve.loss[late])
    basis = (seen[None, :] / seen[-1]) ** -_EXPONENTS[:, None]
    centred, gap = basis - basis.mean(axis=1, keepdims=True), loss - loss.mean()
    slope = np.maximum((centred * gap).sum(axis=1) / (centred**2).sum(axis=1), 0)
    floor = np.maximum(loss.mean() - slope * basis.mean(axis=1), 0)
    misfit = ((floor[:, None] + slope[:, None] * basis - loss) ** 2).sum(axis=1)
    best = int(misfit.argmin())
    return float(floor[best] + slope[best] * (tokens / seen[-1]) ** -_EXPONENTS[best])


def thinned(tokens: Floats, loss: Floats) -> tuple[Floats, Floats]:
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
    """Logarithm of the true end over the forecast of each past run seen up to `share`; nan where it has no tail."""
    return np.array([_error(curve, share) for curve in past])


def _error(curve: Curve, share: float) -> float:
    expected = tail_loss(curve.until(share), float(curve.tokens[-1]))
    return float(np.log(_end(curve) / expected)) if expected is not None and expected > 0 else float("nan")


def _end(curve: Curve) -> float:
    """Loss at the end: the mean of the last hundredth, because single steps are noisy."""
    return float(curve.loss[curve.tokens >= 0.99 * curve.tokens[-1]].mean())


def half_width(errors: Floats, level: float = COVERAGE) -> float | None:
    """Half of the conformal interval of the logarithm; None where too few errors are known for the level."""
    rank = int(np.ceil((errors.size + 1) * level))
    return None if rank > errors.size else float(np.sort(np.abs(errors))[rank - 1])


def interval(past: Sequence[Curve], share: float, scale: float) -> Interval:
    """The interval of a run of a scale, from comparable past runs, or from smaller ones and widened.

    The widening is a conformal quantile of how far past runs were off, each in half-widths of the runs at most a
    `COMPARABLE`-th as large as it; where under four can tell it, it is assumed.
    """
    errors = forecast_errors(past, share)
    is_finite = np.isfinite(errors)
    errors, scales = np.abs(errors[is_finite]), np.array([curve.scale for curve in past])[is_finite]
    ratios = _hold_outs(errors, scales)
    near = (scales >= scale / COMPARABLE) & (scales <= scale * COMPARABLE)
    width = half_width(errors[near])
    if width is not None:
        return Interval(width, "comparable_scale", int(near.sum()), 1.0, *_coverages(ratios, 1.0))
    others = half_width(errors)
    if others is None:
        return Interval(None, "too_few_runs", int(errors.size), 1.0, *_coverages(ratios, 1.0))
    if ratios.size >= _LEAST_HOLD_OUTS:
        width = others * max(half_width(ratios, _WIDENING_LEVEL) or float(ratios.max()), 1.0)
    else:
        width = max(others * _ASSUMED_WIDENING, min(_ASSUMED_HALF_WIDTH, _ASSUMED_SLOPE * (1 - share)))
    widening = width / others if others > 0 else 1.0
    return Interval(width, "smaller_scale", int(errors.size), widening, *_coverages(ratios, widening))


def _hold_outs(errors: Floats, scales: Floats) -> Floats:
    """Each past run's error in half-widths of the runs much smaller than it, where those are enough for one."""
    widths = [half_width(errors[scales * COMPARABLE <= scale]) for scale in scales]
    return np.array([error / width for error, width in zip(errors, widths, strict=True) if width])


def _coverages(ratios: Floats, widening: float) -> tuple[int, float | None, float | None]:
    if not ratios.size:
        return 0, None, None
    return int(ratios.size), float((ratios <= 1).mean()), float((ratios <= widening).mean())
