"""What will be served: the median path of a model's demand, and draws around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.law.laws import Floats
from transforms.periods import DAYS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_MONTHS: Final = 60
PATH_COLUMNS: Final = ("demand_path_weights", "demand_path_ratios", "demand_path_sigmas")
DAMPING: Final = 0.98  # of the trend, a day; that of four weeks
# Student's t has tails whose exponential has no mean; nothing seen before lies this many spreads away.
FURTHEST: Final = 4.0
P90: Final = 1.2815515655446004  # standard deviations from the median to the ninth decile


@dataclass(frozen=True)
class Paths:
    """The ways in which the demand of one model may go on: weights, and tokens and spreads, paths × whole months."""

    weights: Floats
    tokens: Floats
    sigmas: Floats


def paths_of(position: Mapping[str, Any], months: int) -> Paths | None:
    """The paths of a position over some months; None where its history is too short to tell one from another."""
    weights = position[PATH_COLUMNS[0]]
    if weights is None:
        return None
    ratios, sigmas = (np.array(position[name], dtype=np.float64)[:, :months] for name in PATH_COLUMNS[1:])
    return Paths(np.array(weights), ratios * position["daily_tokens"] * DAYS_PER_MONTH, sigmas)


def whole_months(remaining_months: float) -> int:
    """Months ahead in which the model serves at all, five years at most."""
    return int(np.ceil(min(remaining_months, LONGEST_MONTHS)))


def median_path(level: float, trend: float, remaining_months: float) -> Floats:
    """Tokens of each month ahead as if it were whole: the level, and its damped trend, summed over the days."""
    ends = np.arange(whole_months(remaining_months) + 1) * DAYS_PER_MONTH
    gained = DAMPING / (1 - DAMPING) * (ends - DAMPING * (1 - DAMPING**ends) / (1 - DAMPING))
    return np.asarray(np.maximum(np.diff(level * ends + trend * gained), 0))


def demand_draws(path: Floats, log_errors: Floats) -> Floats:
    """Tokens by month and draw: the path times the errors of its level."""
    return np.asarray(path[:, None] * np.exp(log_errors))


def path_draws(paths: Paths, errors: Floats, picks: Floats) -> Floats:
    """Tokens by month and draw: each draw goes one way, and is as far off it as its error says.

    `errors` are standard normal, `picks` even between 0 and 1, one of each for every draw. The errors of
    all months of a draw go together, and grow so that the sum to each month is as uncertain as back-tests of that
    horizon have been.
    """
    chosen = np.minimum(np.searchsorted(paths.weights.cumsum(), picks, side="right"), len(paths.weights) - 1)
    off = np.clip(errors, -FURTHEST, FURTHEST) * paths.sigmas[chosen].T
    return np.asarray(paths.tokens[chosen].T * np.exp(off))


def wandering(errors: Floats, spreads: Floats) -> Floats:
    """Months × draws: a level that takes a step each month, of which the mean month has a standard deviation of 1.

    `errors` are the steps, standard normal; `spreads` how far each draw takes the uncertain spread to be. The forecast
    of the total over the life is the mean of such a walk: early months are known better than it, late ones worse.
    """
    months = len(errors)
    if not months:
        return errors
    own = np.sqrt(np.arange(1, months + 1))[:, None]
    of_the_mean = ((months + 1) * (2 * months + 1) / (6 * months)) ** 0.5
    return np.asarray(np.clip(errors.cumsum(axis=0) / own * spreads, -FURTHEST, FURTHEST) * own / of_the_mean)
