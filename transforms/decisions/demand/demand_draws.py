"""What will be served: the median path of a model's demand, and draws around it."""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.decisions.law.laws import Floats

DAYS_PER_MONTH: Final = 365.25 / 12
LONGEST_MONTHS: Final = 60
DAMPING: Final = 0.98  # of the trend, a day; the forecast's own
# Student's t has tails whose exponential has no mean; nothing seen before lies this many spreads away.
FURTHEST: Final = 4.0
P90: Final = 1.2815515655446004  # standard deviations from the median to the ninth decile


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
