"""Changes of estimate in words: what changed, when, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from transforms.economics.carrying import PRODUCTION, Carried

_TOLERANCE: Final = 0.005
_REASONS: Final = {
    "policy": "lives.csv says so from this month on, without a reason",
    "forecast": "the forecast made at the start of the month expects another demand or another end of service",
    "too_uncertain": "the forecast is less certain than its own size, so the life counts and not the tokens",
    "no_estimate": "there is no estimate of demand yet, so the life counts and not the tokens",
    "exhausted": "all that was expected has been served or the life is over, so the rest is carried at once",
}


def changes(model_id: str, months: Sequence[Carried]) -> Iterator[dict[str, object]]:
    """One row per month whose estimate is not last month's rolled forward, and one for what retirement wrote off.

    An estimate rolls forward when the method stays and what is expected falls by what was served; differences under
    half a percent are the same estimate.
    """
    for before, after in pairwise(months):
        if _is_changed(before, after):
            yield _change(model_id, before, after)
    for month in months:
        if month.written_off:
            yield _write_off(model_id, month)


def _is_changed(before: Carried, after: Carried) -> bool:
    if "not_serving" in {before.estimate.basis, after.estimate.basis}:
        return False
    if before.estimate.method != after.estimate.method or after.estimate.method != PRODUCTION:
        return before.estimate.method != after.estimate.method or before.estimate.basis != after.estimate.basis
    rolled, expected = _rolled(before), after.estimate.expected or 0.0
    return abs(expected - rolled) > _TOLERANCE * max(abs(rolled), abs(expected))


def _rolled(before: Carried) -> float:
    """What was still expected after the month by the estimate of its start."""
    return max((before.estimate.expected or 0.0) - before.month.production, 0.0)


def _change(model_id: str, before: Carried, after: Carried) -> dict[str, object]:
    was, now = before.estimate, after.estimate
    return {
        "changed_on": after.month.first,
        "model_id": model_id,
        "cause": now.basis,
        "from_method": was.method,
        "to_method": now.method,
        "from_expected_tokens": _rolled(before) if was.method == PRODUCTION else None,
        "to_expected_tokens": now.expected,
        "balance_usd": after.opening + after.month.additions,
        "explanation": now.reason or _REASONS[now.basis],
    }


def _write_off(model_id: str, month: Carried) -> dict[str, object]:
    return {
        "changed_on": month.month.first,
        "model_id": model_id,
        "cause": "retired",
        "from_method": month.estimate.method,
        "to_method": None,
        "from_expected_tokens": month.estimate.expected,
        "to_expected_tokens": 0.0,
        "balance_usd": month.written_off,
        "explanation": "the model has retired; what was not carried by then is stranded",
    }
