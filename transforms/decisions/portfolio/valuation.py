"""Cash of a change of GPU demand, draw by draw, and what is said of it.

Reference: net present value of avoidable cost; what was spent before the night is in no cash flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from transforms.decisions.demand.demand_draws import whole_months
from transforms.decisions.law.laws import Floats, Quantity

_HALF: Final = 0.5
_YEAR: Final = 12
_ANYTHING: Final = 0.01


@dataclass(frozen=True)
class Cash:
    """One action by months and draws, before and after its quality gate is known.

    Attributes:
        one_off: paid beside GPUs at approval, USD by draw.
        saved: cash without the action less cash with it, USD by month and draw, where the gate is passed.
        paid: what could be left unpaid of its pools at most, USD by month and draw.
        passes: whether the gate is passed, by draw.
        failed: paid where it is not passed, USD by draw.
        months: service ahead of what it changes, part of the last month included.
        discount_ratio: cost of capital of a year.
    """

    one_off: Floats
    saved: Floats
    paid: Floats
    passes: Floats
    failed: Floats
    months: float
    discount_ratio: float

    @cached_property
    def present(self) -> Floats:
        """Discounted savings by draw, where the gate is passed."""
        return np.asarray(discount_factors(len(self.saved), self.discount_ratio) @ self.saved)

    @cached_property
    def value_if_passed(self) -> Floats:
        """Net present value by draw, where the gate is passed."""
        return np.asarray(self.present - self.one_off)

    @cached_property
    def net_present_value(self) -> Floats:
        """Net present value by draw: where the gate fails, what was paid to know it is lost."""
        return np.where(self.passes, self.value_if_passed, -self.failed)

    @cached_property
    def first_month(self) -> int:
        """The month from which it saves at least half of the most that it saves in a month of its first year."""
        means = self.saved.mean(axis=1)
        if means.max() <= 0:
            return 0
        begins = int(np.argmax(means > _ANYTHING * means.max()))
        year = means[begins : begins + _YEAR]
        return begins + int(np.argmax(year >= _HALF * year.max()))

    @cached_property
    def first_year(self) -> Floats:
        """Weights of the first twelve months in effect, which add up to 1: later ones are grown demand, no budget."""
        months = np.arange(len(self.saved))
        is_first_year = (months >= self.first_month) & (months < self.first_month + _YEAR)
        weights = np.clip(self.months - months, 0, 1) * is_first_year
        return np.asarray(np.where(weights > 0, 1.0, 0.0) / max(weights.sum(), 1e-9))

    @cached_property
    def monthly_if_passed(self) -> Floats:
        """Mean saving of a month by draw, over the first year in effect, where the gate is passed."""
        return np.asarray(self.first_year @ self.saved)

    @cached_property
    def monthly_saving(self) -> Floats:
        """The same before the gate is known: where it fails nothing is saved."""
        return np.where(self.passes, self.monthly_if_passed, 0.0)

    @cached_property
    def next_year(self) -> Floats:
        """Saving of the twelve months from the night by draw, before the gate is known: what a budget of them has."""
        return np.where(self.passes, self.saved[:_YEAR].sum(axis=0), 0.0)

    @cached_property
    def monthly_paid(self) -> Floats:
        """What its pools cost at most in the mean of the same months, by draw."""
        return np.asarray(self.first_year @ self.paid)

    @cached_property
    def break_even_demand(self) -> Floats:
        """Share of the savings at which the value is nothing; infinite where none is enough."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.present > 0, self.one_off / self.present, np.inf)

    @cached_property
    def cumulative(self) -> Floats:
        """(1 + months) × draws: undiscounted cash since approval before the gate is known; month 0 is paid once."""
        start = np.where(self.passes, -self.one_off, -self.failed)
        return np.concatenate([start[None], start + (self.saved * self.passes).cumsum(axis=0)])

    def median_payback_months(self) -> float:
        """First month in which the median draw has paid back, given the gate; infinite where it does not."""
        if np.mean(self.value_if_passed > 0) < _HALF:
            return float("inf")
        sums, months = np.zeros_like(self.one_off), np.full(self.one_off.shape, np.inf)
        for month, saved in enumerate(self.saved, start=1):
            sums += saved
            months[(sums >= self.one_off) & np.isinf(months)] = month
            if np.count_nonzero(np.isfinite(months)) > len(months) // 2:
                break
        return float(np.sort(months)[(len(months) - 1) // 2])


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
