"""One model's training amortised month by month, in whole units of 10⁻¹²."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

STRAIGHT, PRODUCTION = "straight_line", "units_of_production"
_MOST_VARIATION: Final = 1.0


class Month(NamedTuple):
    """One month of one model: its days to the night, what was added in units of 10⁻¹², and what it served."""

    first: date
    last: date
    additions: int
    production: float
    before: float


class Policy(NamedTuple):
    """How lives.csv amortises training: method, life in days, units expected over the life, why so, since when."""

    method: str
    life_days: float | None
    expected: float | None
    reason: str | None = None
    since: date | None = None


class End(NamedTuple):
    """The last day of service that an estimate expects, and how that is known."""

    day: date | None = None
    basis: str | None = None


_UNKNOWN: Final = End()


class Forecast(NamedTuple):
    """What was expected at the start of a month: units still to come, their variation, and until when."""

    expected: float
    variation: float
    ends_on: date | None = None


class Published(NamedTuple):
    """The estimate a month was published with; once it is closed also what it amortised, of how much, and the end.

    `served_before` are the units of the months before it that were known when the estimate was made.
    """

    method: str
    basis: str
    expected: float | None
    days: int | None
    is_closed: bool
    amortized: int
    balance: int
    is_written_off: bool
    served_before: float = 0.0
    end: End = _UNKNOWN


@dataclass(frozen=True)
class Plan:
    """One model: when it serves from and retires, the life it falls back on, its estimates, and those published."""

    serves_from: date | None
    retires_on: date | None
    fallback_days: float
    policies: Sequence[tuple[date | None, Policy]]
    forecasts: dict[date, Forecast]
    published: dict[date, Published] = field(default_factory=dict)
    end: End = _UNKNOWN

    def policy(self, month: Month) -> Policy:
        """The estimate that holds on the first of the month; in the first months the earliest there is."""
        held = [policy for since, policy in self.policies if since is None or since <= month.first]
        begun = [policy for since, policy in self.policies if since is not None and since <= month.last]
        return held[-1] if held else begun[0] if begun else Policy(PRODUCTION, None, None)

    def is_over(self, month: Month) -> bool:
        """Whether the service ended by the end of the month: a closed month stays as it was published."""
        published = self.published.get(month.first)
        if published is not None and published.is_closed:
            return published.is_written_off
        return self.retires_on is not None and self.retires_on <= month.last


class Estimate(NamedTuple):
    """How a month is amortised: what share of the balance, as a whole fraction, and until when service is expected."""

    method: str
    basis: str
    expected: float | None
    days: int | None
    numerator: int
    denominator: int
    end: End = _UNKNOWN


class AmortizedMonth(NamedTuple):
    """One month amortised: opening + additions − amortised − written off = closing."""

    month: Month
    estimate: Estimate
    opening: int
    amortized: int
    written_off: int
    closing: int


def roll_forward(months: Sequence[Month], plan: Plan) -> Iterator[AmortizedMonth]:
    """The roll-forward of one model; each opening is the closing before, and nothing is amortised twice.

    A balance below zero, after a credit or when heirs take over more than is left, is given back at once: what has been
    amortised to date never exceeds what there was to amortise. A month that was published keeps its estimate; late cost
    and late tokens still move it.
    """
    opening = 0
    for month in months:
        balance = opening + month.additions
        published = plan.published.get(month.first)
        estimate = _estimate(month, plan) if published is None else _as_published(month, plan, published)
        amortized = _share(balance, estimate) if balance > 0 else balance
        is_over = plan.is_over(month)
        if is_over and (published is None or not published.is_closed):
            estimate = estimate._replace(end=End(plan.retires_on, "retires_on"))
        closing = 0 if is_over else balance - amortized
        yield AmortizedMonth(month, estimate, opening, amortized, balance - amortized - closing, closing)
        opening = closing


def _share(balance: int, estimate: Estimate) -> int:
    """The balance times the fraction, half up; never more than the balance."""
    part = (2 * balance * estimate.numerator + estimate.denominator) // (2 * estimate.denominator)
    return min(max(part, 0), balance)


def _estimate(month: Month, plan: Plan) -> Estimate:
    """The estimate of a month that was not published yet, by the plan as it is now."""
    policy = plan.policy(month)
    if policy.method == STRAIGHT:
        return _straight(month, plan, policy.life_days or plan.fallback_days, "policy")._replace(end=plan.end)
    if policy.expected is not None:
        return _produced(month, policy.expected - month.before, "policy")._replace(end=plan.end)
    forecast = plan.forecasts.get(month.first)
    days = min(policy.life_days or plan.fallback_days, plan.fallback_days)
    if forecast is None or forecast.expected <= 0:
        return _straight(month, plan, days, "no_estimate")._replace(end=plan.end)
    if forecast.variation > _MOST_VARIATION:
        return _straight(month, plan, days, "too_uncertain")._replace(end=plan.end)
    end = End(forecast.ends_on or plan.end.day, plan.end.basis)
    return _produced(month, forecast.expected, "forecast")._replace(end=end)


def _as_published(month: Month, plan: Plan, published: Published) -> Estimate:
    """The estimate published: units expected over what was served, or the share of the balance that days amortised."""
    if published.method == PRODUCTION:
        return _produced(month, published.expected or 0.0, published.basis)._replace(end=published.end)
    if published.is_closed and published.balance > 0:
        return Estimate(
            STRAIGHT, published.basis, None, published.days, published.amortized, published.balance, published.end
        )
    if published.days is None or plan.serves_from is None:
        return _estimate(month, plan)
    gone = (max(month.first, plan.serves_from) - plan.serves_from).days
    return _straight(month, plan, gone + published.days, published.basis)._replace(end=published.end)


def _produced(month: Month, expected: float, basis: str) -> Estimate:
    """Thousandths of units served over those expected; where no more are expected than served, all that is left."""
    served, of = round(month.production * 1000), round(expected * 1000)
    if of <= served:
        return Estimate(PRODUCTION, "exhausted" if of <= 0 else basis, max(expected, 0.0), None, 1, 1)
    return Estimate(PRODUCTION, basis, expected, None, served, of)


def _straight(month: Month, plan: Plan, life_days: float, basis: str) -> Estimate:
    """Days in service over days of life left; nothing before the first served day."""
    if plan.serves_from is None or plan.serves_from > month.last:
        return Estimate(STRAIGHT, "not_serving", None, None, 0, 1)
    start = max(month.first, plan.serves_from)
    end = plan.serves_from + timedelta(days=max(round(life_days), 1))
    left = (end - start).days
    if left <= 0:
        return Estimate(STRAIGHT, "exhausted", None, 0, 1, 1)
    until = month.last if plan.retires_on is None else min(month.last, plan.retires_on)
    served = max(min((until - start).days + 1, left), 0)
    return Estimate(STRAIGHT, basis, None, left, served, left)
