"""The price of imbalance: what the same quality costs more than at the target shares.

Where quality is a product of powers of the three spends, the optimal share of a phase is its exponent over their sum,
and by the inequality of weighted means no other shares reach the same product for less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from transforms.economics.forecast.smoothing import Floats

_ROUNDING: Final = 1e-12


def shares(spends: Floats, target: Floats) -> Floats:
    """Shares over the last axis of the phases that have a target; not a number where nothing was spent on them."""
    compared = np.where(target > 0, np.clip(spends, 0.0, None), 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(compared / compared.sum(axis=-1, keepdims=True))


def penalty_ratio(spends: Floats, target: Floats) -> Floats:
    """Π (e / s)^e − 1 over the last axis: 0 at the target, infinite where a share is 0, not a number without spend.

    Equal target: (45, 35, 20) costs 5.6 % more, (25, 25, 50) 5.8 %, (20, 20, 60) 15.6 %, (60, 10, 30) 27 %,
    (10, 10, 80) 67 %. Phases whose target is 0 are not compared.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(target > 0, target * np.log(target / shares(spends, target)), 0.0).sum(axis=-1)
    penalty = np.expm1(excess)
    return np.asarray(np.where(np.abs(penalty) < _ROUNDING, 0.0, penalty))


def saved_ratio(penalty: Floats) -> Floats:
    """Share of the spend that the same quality would have saved at the target: penalty / (1 + penalty)."""
    return np.asarray(1.0 - 1.0 / (1.0 + penalty))
