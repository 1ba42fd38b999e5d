"""What an alternative is worth: its cash by month and draw, net present value, P10, P50 and P90, and chance.

Reference: net present value of avoidable cost; what was spent before the night is in no cash flow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.json_text import json_text
from transforms.decisions.portfolio.eligibility import eligibility
from transforms.decisions.quantiles import median, percentiles

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from transforms.decisions.actions.alternatives import Alternative, Proposal
    from transforms.decisions.law.laws import Floats
    from transforms.decisions.supply.fleet import Fleet

_HALF: Final = 0.5
_YEAR: Final = 12
_ANYTHING: Final = 0.01
_MOST_USD: Final = 1e24  # what a decimal column holds, whatever the arithmetic says
_COPIED: Final = (
    "action",
    "model_id",
    "task",
    "pool_id",
    "deployment_id",
    "target_model_id",
    "target_params",
    "target_tokens",
    "is_measured",
    "is_extrapolated",
    "quality_gate",
    "gate_probability",
    "standing",
)


def unvalued(alternative: Alternative) -> dict[str, Any]:
    """The row of an alternative that cannot be valued: it says what is missing."""
    asked = replace(alternative, standing="data_request")
    return _identity(asked) | {"is_eligible": False, "reason_code": "not_valued", "reason": alternative.missing}


def cash_of(proposal: Proposal, fleet: Fleet) -> Cash:
    """The cash of a proposal on a fleet as the cards before have left it."""
    night = fleet.night
    return Cash(
        one_off=proposal.one_off,
        saved=fleet.saved_usd(proposal.gpus, proposal.released),
        paid=fleet.payable_usd(proposal.pool_ids),
        passes=proposal.passes(night),
        failed=np.broadcast_to(np.asarray(proposal.failed, dtype=float), (night.draws,)),
        months=proposal.months,
        discount_ratio=night.discount_ratio,
    )


def valued(proposal: Proposal, fleet: Fleet, cash: Cash | None = None) -> dict[str, Any]:
    """The row of a proposal.

    P10, P50, P90 and the chance count draws in which the gate fails; `…_if_passed_…` is what it is worth if it holds.
    """
    night, cash = fleet.night, cash or cash_of(proposal, fleet)
    ends = fleet.contracts(proposal.pool_ids)
    contracts = _contracts(proposal, fleet, cash, ends)
    row = _identity(proposal.alternative, contracts)
    names = ("one_off", "monthly_saving", "net_present_value", "next_year_saving", "monthly_paid")
    draws = np.stack([cash.one_off, cash.monthly_saving, cash.net_present_value, cash.next_year, cash.monthly_paid])
    levels = dict(zip(names, percentiles(draws).T, strict=True))
    for name in names[:4]:
        row |= {f"{name}_usd_p{level}": _cents(value) for level, value in zip((10, 50, 90), levels[name], strict=True)}
    is_sure = proposal.alternative.gate_probability >= 1
    monthly = levels["monthly_saving"][1] if is_sure else median(cash.monthly_if_passed)
    value = levels["net_present_value"][1] if is_sure else median(cash.value_if_passed)
    row["monthly_saving_if_passed_usd_p50"] = _cents(monthly)
    row["net_present_value_if_passed_usd_p50"] = _cents(value)
    row["net_present_value_usd_mean"] = _cents(cash.value_if_passed.mean())
    row["expected_value_usd"] = _cents(cash.net_present_value.mean())
    row["monthly_paid_usd_p90"] = _cents(levels["monthly_paid"][2])
    row["next_year_paid_usd_p50"] = _cents(fleet.next_year_usd(proposal.pool_ids))
    row["run_rate_paid_usd"] = _cents(fleet.run_rate_usd(proposal.pool_ids))
    row["evaluation_price_usd"] = (
        _cents(median(np.asarray(cash.failed))) if not proposal.alternative.is_measured else None
    )
    row["probability"] = float((cash.net_present_value > 0).mean())
    row["probability_if_passed"] = float((cash.value_if_passed > 0).mean())
    row["payback_months_p50"] = _finite(cash.median_payback_months())
    row["break_even_demand_ratio"] = _finite(median(cash.break_even_demand))
    row["saves_from"] = fleet.month_start(cash.first_month)
    row["sign_by"], ended = _sign_by(ends, fleet.month_start(cash.first_month + 1), night.as_of)
    row["saves_from"] = max(row["saves_from"], ended or night.as_of)
    return row | eligibility(row, proposal, fleet)


def _contracts(proposal: Proposal, fleet: Fleet, cash: Cash, ends: list[dict[str, Any]]) -> dict[str, Any]:
    """Contracts that the card depends on; an end that nobody knows is valued at the earliest and the latest."""
    if not ends:
        return {}
    measures: dict[str, Any] = {"contracts": ends}
    masks = [fleet.supplies[pool_id].is_late for pool_id in proposal.pool_ids]
    unknown = next((mask for mask in masks if mask is not None), None)
    if unknown is not None:
        measures["net_present_value_usd_p50_if_contracts_end_early"] = median(cash.value_if_passed[~unknown])
        measures["net_present_value_usd_p50_if_contracts_end_late"] = median(cash.value_if_passed[unknown])
    return measures


def _sign_by(ends: list[dict[str, Any]], saves_until: dt.date, as_of: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """The first day by which somebody must end or shrink a contract so that the card can save, and when it ends then.

    None where it saves before any contract ends: its first month of saving is over by `saves_until`.
    """
    days = [
        (each["sign_by"], each["ends_on_earliest"])
        for each in ends
        if each["sign_by"] is not None and as_of.isoformat() <= each["ends_on_earliest"]
    ]
    ahead = [pair for pair in days if pair[0] < saves_until.isoformat()]
    if not ahead:
        return None, None
    sign, ended = min(ahead)
    return type(as_of).fromisoformat(sign), type(as_of).fromisoformat(ended)


def _identity(alternative: Alternative, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    row = {name: getattr(alternative, name) for name in _COPIED}
    return row | {"assumptions": json_text({**alternative.assumptions, **(more or {})})}


def _cents(value: float) -> float:
    return round(min(max(float(value), -_MOST_USD), _MOST_USD), 2) + 0.0


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


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
