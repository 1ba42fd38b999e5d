"""Changes of estimate in words: what changed, when, from what to what, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from transforms.economics.amortization.amortization_schedule import PRODUCTION, AmortizedMonth, End, Plan

_TOLERANCE: Final = 0.005
_ENDS: Final = {
    "retires_on": "retires_on in models.csv",
    "model_policy": "its life in lives.csv",
    "family_median": "the median life of its family",
    "default_policy": "the life of all in lives.csv",
    "company_median": "the median life of the company's models",
    "assumed": "an assumed year",
}
_STANDS_IN: Final = {
    "too_uncertain": "the forecast of {} is less certain than its own size, so the life counts: {}",
    "no_estimate": "no demand is forecast on {}, so the life counts: {}",
}


class Step(NamedTuple):
    """One month after another: what the estimate before leaves for it, in units or days, and what its own expects."""

    before: AmortizedMonth
    after: AmortizedMonth
    left_units: float | None
    left_days: int | None
    unit: str

    @property
    def on(self) -> date:
        """First day of the new estimate."""
        return self.after.month.first

    @property
    def was(self) -> str:
        """What was left of the estimate before."""
        return self.units(self.left_units) if self.left_units is not None else _days(self.left_days)

    @property
    def now(self) -> str:
        """What is left by the new one."""
        estimate = self.after.estimate
        return self.units(estimate.expected or 0.0) if estimate.method == PRODUCTION else _days(estimate.days)

    @property
    def is_serving(self) -> bool:
        """Whether the model served in both months: before it does nothing is carried and nothing changes."""
        return "not_serving" not in {self.before.estimate.basis, self.after.estimate.basis}

    @property
    def has_other_size(self) -> bool:
        """Whether the new estimate is another than the old one rolled forward; half a percent of units is the same."""
        was, now = self.before.estimate, self.after.estimate
        if was.method != now.method:
            return True
        if self.left_units is None:
            return self.left_days is not None and now.days is not None and now.days != max(self.left_days, 0)
        expected = now.expected or 0.0
        return abs(expected - self.left_units) > _TOLERANCE * max(abs(self.left_units), abs(expected))

    @property
    def has_other_end(self) -> bool:
        """Whether service ends on another day; a model that has outlived an estimate is given four weeks each month."""
        was, now = self.before.estimate.end, self.after.estimate.end
        is_reportable = (
            was.basis != now.basis or now.basis == "retires_on" or (now.day is not None and now.day > self.on)
        )
        return None not in {was.day, now.day} and was.day != now.day and is_reportable and not self.is_outlived

    @property
    def is_outlived(self) -> bool:
        """Whether the end before was over when the new estimate was made and nobody had set it."""
        was = self.before.estimate.end
        return was.basis != "retires_on" and was.day is not None and was.day <= self.on

    def units(self, amount: float) -> str:
        """An amount of what the model delivers."""
        return f"{amount:,.0f} {self.unit if self.unit.endswith('s') else self.unit + 's'}"


def changes(model_id: str, plan: Plan, unit: str, months: Sequence[AmortizedMonth]) -> Iterator[dict[str, object]]:
    """One row per month whose estimate is not last month's rolled forward, and one for what retirement wrote off.

    An estimate rolls forward when the method stays and what is expected falls by what was served, or by the days that
    are over. Units told late of a closed month are no change of estimate: each estimate is held against what was known
    when it was made.
    """
    steps = (step for step in _steps(plan, unit, months) if step.is_serving)
    for step in steps:
        if step.has_other_size:
            yield _change(model_id, plan, step)
            continue
        if step.has_other_end and not step.after.written_off:
            yield _row(model_id, step, "end_of_service", f"{_end(step)}; what is left then is stranded")
    yield from (_write_off(model_id, month) for month in months if month.written_off)


def _steps(plan: Plan, unit: str, months: Sequence[AmortizedMonth]) -> Iterator[Step]:
    """Each month after the first, with what the estimate before it leaves by what was known to have been served."""
    for before, after in pairwise(months):
        is_produced = before.estimate.method == PRODUCTION
        served = _served_before(after, plan, months[0]) - _served_before(before, plan, months[0])
        left = max((before.estimate.expected or 0.0) - served, 0.0) if is_produced else None
        yield Step(before, after, left, None if is_produced else _left(before, plan), unit)


def _served_before(month: AmortizedMonth, plan: Plan, first: AmortizedMonth) -> float:
    """Units of the months before, as they were known when the month's estimate was made."""
    published = plan.published.get(month.month.first)
    return month.month.before - first.month.before if published is None else published.served_before


def _left(before: AmortizedMonth, plan: Plan) -> int | None:
    """Days of life that were left after the month by the estimate of its start."""
    if before.estimate.days is None or plan.serves_from is None:
        return None
    start = max(before.month.first, plan.serves_from)
    return max(before.estimate.days - (before.month.last - start).days - 1, 0)


def _change(model_id: str, plan: Plan, step: Step) -> dict[str, object]:
    basis = step.after.estimate.basis
    if basis == "policy":
        return _row(model_id, step, basis, _by_policy(plan, step))
    if basis == "forecast":
        cause = "end_of_service" if step.has_other_end and step.left_units is not None else basis
        return _row(model_id, step, cause, _by_forecast(step))
    if basis == "exhausted":
        spent = (
            "all that was expected has been served" if step.after.estimate.method == PRODUCTION else "the life is over"
        )
        return _row(model_id, step, basis, f"{spent}, so the rest is carried at once; {step.was} were left before")
    sizes = f"{step.now} are left, {step.was} were before"
    return _row(model_id, step, basis, _STANDS_IN[basis].format(step.on, sizes))


def _by_policy(plan: Plan, step: Step) -> str:
    policy, before = plan.policy(step.after.month), plan.policy(step.before.month)
    words = f"{step.now} are left, {step.was} were before"
    if step.after.estimate.method != PRODUCTION and policy.life_days is None:
        return f"the typical life, since lives.csv names none: {words}"
    if policy == before:
        return f"lives.csv says another thing than before without a new date: {words}"
    since = f"lives.csv from {policy.since} on" if policy.since else "lives.csv"
    return f"{since}: {words}; {policy.reason or 'no reason is given'}"


def _by_forecast(step: Step) -> str:
    parts = [f"forecast of {step.on}: {step.now} are expected, {step.was} were left before"]
    if step.has_other_end:
        parts.append(_end(step))
    elif step.is_outlived and step.before.estimate.end != step.after.estimate.end:
        parts.append(f"it has outlived {step.before.estimate.end.day} and is expected to {step.after.estimate.end.day}")
    rates = [_a_day(month) for month in (step.before, step.after)]
    if step.left_units is not None and None not in rates and _differ(*(rate or 0.0 for rate in rates)):
        parts.append(f"{step.units(rates[1] or 0.0)} a day and not {rates[0]:,.0f}")
    return "; ".join(parts)


def _a_day(month: AmortizedMonth) -> float | None:
    """What the estimate expects on a day to the end of service."""
    ends_on = month.estimate.end.day
    if ends_on is None or ends_on < month.month.first:
        return None
    return (month.estimate.expected or 0.0) / ((ends_on - month.month.first).days + 1)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > _TOLERANCE * max(one, other)


def _end(step: Step) -> str:
    was, now = step.before.estimate.end, step.after.estimate.end
    return f"service ends on {now.day} ({_basis_text(now)}) and not on {was.day} ({_basis_text(was)})"


def _basis_text(end: End) -> str:
    return _ENDS.get(end.basis or "", "not known by what")


def _days(days: int | None) -> str:
    return f"{days or 0:,} days of life"


def _row(model_id: str, step: Step, cause: str, explanation: str) -> dict[str, object]:
    was, now = step.before.estimate, step.after.estimate
    return {
        "changed_on": step.on,
        "model_id": model_id,
        "cause": cause,
        "from_method": was.method,
        "to_method": now.method,
        "from_expected_tokens": step.left_units,
        "to_expected_tokens": now.expected,
        "from_expected_days": step.left_days,
        "to_expected_days": now.days,
        "from_ends_on": was.end.day,
        "to_ends_on": now.end.day,
        "balance_usd": step.after.opening + step.after.month.additions,
        "explanation": explanation,
    }


def _write_off(model_id: str, month: AmortizedMonth) -> dict[str, object]:
    """What retirement strands: dated on its day, or on the first of the month where it was told after its own."""
    estimate, first = month.estimate, month.month.first
    ended = estimate.end.day
    on = ended if ended is not None and first <= ended <= month.month.last else first
    return {
        "changed_on": on,
        "model_id": model_id,
        "cause": "retired",
        "from_method": estimate.method,
        "to_method": None,
        "from_expected_tokens": estimate.expected,
        "to_expected_tokens": 0.0,
        "from_expected_days": estimate.days,
        "to_expected_days": 0,
        "from_ends_on": ended,
        "to_ends_on": ended,
        "balance_usd": month.written_off,
        "explanation": f"the model has retired on {ended or on} ({_basis_text(estimate.end)}): what was not carried by "
        "then is stranded",
    }
