"""Cash of alternatives, draw by draw, and what is said of it.

Reference: net present value of avoidable cost; what was spent before the night is in no cash flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.decisions.demand.demand_draws import whole_months
from transforms.decisions.law.laws import Floats, Quantity

_HALF: Final = 0.5


@dataclass(frozen=True)
class Cash:
    """Alternatives by draws: paid once at approval, saved per token, paid each month for something new.

    Attributes:
        one_off: alternatives × draws, USD.
        saving_per_token: alternatives × draws, USD per token of the model's demand.
        fixed: alternatives × draws, USD a month from the first month on.
        ramp: alternatives × months, share of the saving that has set in.
        tokens: months × draws, the model's demand.
        discount_ratio: cost of capital of a year.
    """

    one_off: Floats
    saving_per_token: Floats
    fixed: Floats
    ramp: Floats
    tokens: Floats
    discount_ratio: float

    @cached_property
    def _weights(self) -> Floats:
        """Alternatives × months: discounted share of the saving."""
        return np.asarray(self.ramp * discount_factors(self.tokens.shape[0], self.discount_ratio))

    @cached_property
    def _gained(self) -> Floats:
        """Alternatives × draws: discounted savings on tokens; ramps that are alike are summed once."""
        ramps, which = np.unique(self._weights, axis=0, return_inverse=True)
        reach = np.einsum("km,md->kd", ramps, self.tokens)
        return np.asarray(self.saving_per_token * reach[which.ravel()])

    @cached_property
    def _paid(self) -> Floats:
        """Alternatives × draws: what is paid once, and each month, discounted."""
        return np.asarray(self.one_off + self.fixed * self._weights.sum(axis=1)[:, None])

    @cached_property
    def net_present_value(self) -> Floats:
        """Alternatives × draws: discounted savings less what is paid."""
        return np.asarray(self._gained - self._paid)

    @cached_property
    def break_even_demand(self) -> Floats:
        """Alternatives × draws: share of the demand at which the value is nothing; infinite where none is enough."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self._gained > 0, self._paid / self._gained, np.inf)

    @cached_property
    def monthly_saving(self) -> Floats:
        """Alternatives × draws: mean saving of a month once everything has moved."""
        return np.asarray(self.saving_per_token * self.tokens.mean(axis=0) - self.fixed)

    def cumulative(self, line: int) -> Floats:
        """(1 + months) × draws of one alternative: undiscounted cash since approval; month 0 is the one-off."""
        monthly = self.ramp[line, :, None] * (self.saving_per_token[line] * self.tokens - self.fixed[line])
        return np.concatenate([-self.one_off[None, line], -self.one_off[line] + monthly.cumsum(axis=0)])

    def median_payback_months(self, line: int) -> float:
        """First month in which the cash of the median draw is no longer negative; infinite where it stays so."""
        if np.mean(self.net_present_value[line] > 0) < _HALF:
            return float("inf")
        ramps, which = self._ramps
        ramp = which[line]
        owed = self.one_off[line] + self.fixed[line] * ramps[ramp].cumsum()[:, None]
        is_paid = self.saving_per_token[line] * self._reached[ramp] >= owed
        months = np.where(is_paid.any(axis=0), is_paid.argmax(axis=0) + 1.0, np.inf)
        return float(np.sort(months)[(len(months) - 1) // 2])

    @cached_property
    def _ramps(self) -> tuple[Floats, npt.NDArray[np.intp]]:
        """The ramps that differ, and which of them each alternative has."""
        ramps, which = np.unique(self.ramp, axis=0, return_inverse=True)
        return ramps, which.ravel()

    @cached_property
    def _reached(self) -> Floats:
        """Ramps × months × draws: tokens that have moved by the end of each month."""
        return np.asarray((self._ramps[0][:, :, None] * self.tokens).cumsum(axis=1))


def discount_factors(months: int, discount_ratio: float) -> Floats:
    """Present value of a dollar at the end of each month."""
    return np.asarray((1 + discount_ratio) ** (-np.arange(1, months + 1) / 12))


def life_cost(training_usd: Quantity, usd_per_unit: Quantity, units: Quantity) -> Quantity:
    """What one size costs over a life: paid once for training, and for each token or request served."""
    return training_usd + usd_per_unit * units


def ramp(remaining_months: float, lead: float, move: float, stop: float = np.inf) -> Floats:
    """Share of each month's traffic that has moved: nothing for `lead` months, then evenly over `move`.

    The last month counts as far as the model still serves in it; after `stop` months the traffic is back.
    """
    starts = np.arange(whole_months(remaining_months), dtype=float)
    last = min(remaining_months, stop)
    ends = np.minimum(starts + 1, last)
    return np.asarray(_moved_until(ends, lead, move) - _moved_until(np.minimum(starts, last), lead, move))


def _moved_until(month: Floats, lead: float, move: float) -> Floats:
    """Integral of the moved share from approval to `month`."""
    into = np.clip(month - lead, 0, move)
    return np.asarray(into**2 / (2 * move) + np.maximum(month - lead - move, 0))
