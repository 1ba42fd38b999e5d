"""One alternative before and after it is valued."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.valuation import Cash, percentiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


ENOUGH_PROBABILITY: Final = 0.8


@dataclass(frozen=True)
class Alternative:
    """What could be done with one model, task or pool.

    Attributes:
        missing: what is not known and how to supply it; empty where the alternative can be valued.
        blocked: why it may not be recommended whatever it is worth; empty where nothing stands against it.
    """

    action: str
    model_id: str | None = None
    task: str | None = None
    pool_id: str | None = None
    target_model_id: str | None = None
    target_params: float | None = None
    target_tokens: float | None = None
    is_measured: bool = True
    quality_gate: str = "none: the answers do not change"
    missing: str = ""
    blocked: str = ""
    assumptions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Threshold:
    """What an alternative must reach before anybody is asked to act."""

    materiality_usd: float
    probability: float = ENOUGH_PROBABILITY


def json_text(value: object) -> str:
    """Compact JSON with sorted keys, so that equal content is equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def unvalued(alternative: Alternative) -> dict[str, Any]:
    """The row of an alternative that cannot be valued: it says what is missing."""
    return _identity(alternative) | {"is_eligible": False, "reason": alternative.missing}


def valued(alternatives: Sequence[Alternative], cash: Cash, threshold: Threshold) -> Iterator[dict[str, Any]]:
    """The rows of alternatives that were valued together, in their order."""
    present = cash.net_present_value()
    saving, payback = cash.monthly_saving(), cash.payback_months()
    numbers = (percentiles(cash.one_off), percentiles(saving), percentiles(present))
    for position, alternative in enumerate(alternatives):
        row = _identity(alternative)
        for name, values in zip(("one_off", "monthly_saving", "net_present_value"), numbers, strict=True):
            row |= {f"{name}_usd_p{p}": round(float(v[position]), 2) for p, v in zip((10, 50, 90), values, strict=True)}
        row["net_present_value_usd_mean"] = round(float(present[position].mean()), 2)
        row["probability"] = float((present[position] > 0).mean())
        row["payback_months_p50"] = _finite(float(np.quantile(payback[position], 0.5, method="lower")))
        yield row | _verdict(row, alternative, threshold)


def _identity(alternative: Alternative) -> dict[str, Any]:
    names = ("action", "model_id", "task", "pool_id", "target_model_id", "target_params", "target_tokens")
    row = {name: getattr(alternative, name) for name in (*names, "is_measured", "quality_gate")}
    return row | {"assumptions": json_text(alternative.assumptions)}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _verdict(row: Mapping[str, Any], alternative: Alternative, threshold: Threshold) -> dict[str, Any]:
    """Whether the alternative may be recommended, and the sentence that says why or why not."""
    saving, chance = row["monthly_saving_usd_p50"], row["probability"]
    if alternative.blocked:
        return {"is_eligible": False, "reason": alternative.blocked}
    if saving <= 0:
        return {"is_eligible": False, "reason": f"costs {-saving:,.0f} a month more than it saves"}
    if saving < threshold.materiality_usd:
        least = threshold.materiality_usd
        return {"is_eligible": False, "reason": f"saves {saving:,.0f} a month, under the materiality of {least:,.0f}"}
    if chance < threshold.probability:
        words = f"pays back with a chance of {chance:.0%}, under {threshold.probability:.0%}"
        return {"is_eligible": False, "reason": words}
    return {"is_eligible": True, "reason": f"saves {saving:,.0f} a month and pays back with a chance of {chance:.0%}"}
