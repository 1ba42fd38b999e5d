"""Runs that have left their way: a loss that is no number, that rises, or that lies above what it was heading for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.decisions.runs.run_tails import LEAST_POINTS, Curve, tail_loss, thinned

_RECENT: Final = 0.05
_LEAST_RISE: Final = 0.03
_NOISE: Final = 6.0
_SEEN: Final = 0.8
# A rise that began this late can be undone by going back to the best checkpoint.
_LATE: Final = 2 / 3


@dataclass(frozen=True)
class Divergence:
    """Why a run has left its way, and where its loss was best before: in tokens (or steps), and how low."""

    cause: str
    best_at: float
    best_loss: float
    is_late: bool


def divergence(curve: Curve, unknown_at_end: int, half_width: float | None) -> Divergence | None:
    """What is wrong with a run now; None where it is on its way.

    The loss of the last twentieth is rising where it lies over the best so far by 3 % and by six times the noise of
    such a mean. It lies above its own interval where the first four fifths were heading for less, by more than the
    interval of such forecasts, twice the noise and 3 %. One loss at the end that is no number is one too many.
    """
    if curve.tokens.size < LEAST_POINTS:
        return None
    at, smooth = thinned(curve.tokens, curve.loss)
    best = int(smooth.argmin())
    best_at, best_loss = float(at[best]), float(smooth[best])
    now = curve.loss[curve.tokens >= (1 - _RECENT) * curve.tokens[-1]]
    level, noise = float(now.mean()), _noise(curve.loss) / now.size**0.5
    is_late = best_at >= _LATE * float(curve.tokens[-1])

    def diverged(cause: str) -> Divergence:
        return Divergence(cause, best_at, best_loss, is_late)

    if unknown_at_end:
        return Divergence("not_a_number", best_at, best_loss, is_late=True)
    if level > best_loss * (1 + _LEAST_RISE) and level - best_loss > _NOISE * noise:
        return diverged("rising")
    expected = tail_loss(curve.until(_SEEN), float(curve.tokens[-1]))
    if expected is not None:
        above = np.log(level / expected) if expected > 0 else 0.0
        if above > max(half_width or 0.0, _LEAST_RISE) and level - expected > 2 * noise:
            return diverged("above_interval")
    return None


def _noise(loss: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Standard deviation of single losses, from the differences of neighbours, which a slow fall hardly moves."""
    return float(np.median(np.abs(np.diff(loss))) / 0.6745 / 2**0.5)
