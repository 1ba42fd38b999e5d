"""One alternative before and after it is valued."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.portfolio.valuation import Cash
from transforms.decisions.quantiles import medians, percentiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night

# Chance of a positive value from which anybody is asked to act.
ENOUGH_PROBABILITY: Final = 0.8
# Chance that a student nobody has evaluated will pass the gate: an even bet, until workloads.csv says better.
GATE_CHANCE: Final = 0.5
_DIGITS: Final = 6
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
)


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
    deployment_id: str | None = None
    target_model_id: str | None = None
    target_params: float | None = None
    target_tokens: float | None = None
    is_measured: bool = True
    is_extrapolated: bool = False
    quality_gate: str = "none: the answers do not change"
    missing: str = ""
    blocked: str = ""
    assumptions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """An alternative with its cash by draw: paid once, saved per token of demand, paid each month; and its ramp.

    Attributes:
        idle_per_token: part of the saving per token that is idle and shared cost of the pool.
    """

    alternative: Alternative
    one_off: Floats
    saving_per_token: Floats
    fixed: Floats
    ramp: Floats
    idle_per_token: Floats | float = 0.0


def json_text(value: object) -> str:
    """Compact JSON with sorted keys and six digits, so that equal content is equal bytes."""
    return json.dumps(_rounded(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def unvalued(alternative: Alternative) -> dict[str, Any]:
    """The row of an alternative that cannot be valued: it says what is missing."""
    return _identity(alternative) | {"is_eligible": False, "reason": alternative.missing}


def cash_of(proposals: Sequence[Proposal], tokens: Floats, night: Night) -> Cash:
    """Proposals on the same demand as one cash."""
    return Cash(
        one_off=np.stack([proposal.one_off for proposal in proposals]),
        saving_per_token=np.stack([proposal.saving_per_token for proposal in proposals]),
        fixed=np.stack([proposal.fixed for proposal in proposals]),
        ramp=np.stack([proposal.ramp for proposal in proposals]),
        tokens=tokens,
        discount_ratio=night.discount_ratio,
    )


def valued(proposals: Sequence[Proposal], tokens: Floats, night: Night) -> Iterator[dict[str, Any]]:
    """The rows of proposals on the same demand, in their order."""
    cash = cash_of(proposals, tokens, night)
    named = {
        "one_off": percentiles(cash.one_off),
        "monthly_saving": percentiles(cash.monthly_saving),
        "net_present_value": percentiles(cash.net_present_value),
    }
    break_even, idle = medians(cash.break_even_demand), _idle_savings(proposals, tokens)
    means, chances = cash.net_present_value.mean(axis=1), (cash.net_present_value > 0).mean(axis=1)
    for line, proposal in enumerate(proposals):
        row = _identity(proposal.alternative) | {
            f"{name}_usd_p{level}": _cents(values[place, line])
            for name, values in named.items()
            for place, level in enumerate((10, 50, 90))
        }
        row["net_present_value_usd_mean"] = _cents(means[line])
        row["expected_value_usd"] = _cents(_expected(proposal, means[line]))
        row["monthly_idle_saving_usd_p50"] = _cents(idle[line])
        row["probability"] = float(chances[line])
        row["payback_months_p50"] = _finite(cash.median_payback_months(line))
        row["break_even_demand_ratio"] = _finite(break_even[line])
        yield row | _verdict(row, proposal.alternative, night)


def _idle_savings(proposals: Sequence[Proposal], tokens: Floats) -> Floats:
    """Median by alternative of what a month saves on the idle and shared cost of its pool."""
    monthly = tokens.mean(axis=0)
    return medians(np.stack([proposal.idle_per_token * monthly for proposal in proposals]))


def _expected(proposal: Proposal, mean: float) -> float:
    """Mean value before the quality gate is known: where it fails, what was paid once is lost and nothing is saved."""
    chance = 1.0 if proposal.alternative.is_measured else GATE_CHANCE
    return float(chance * mean - (1 - chance) * proposal.one_off.mean())


def _identity(alternative: Alternative) -> dict[str, Any]:
    row = {name: getattr(alternative, name) for name in _COPIED}
    return row | {"assumptions": json_text(alternative.assumptions)}


def _cents(value: float) -> float:
    return round(min(max(float(value), -_MOST_USD), _MOST_USD), 2) + 0.0


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def chance_words(chance: float) -> str:
    """Whole percent; with a decimal, cut, where rounding would make it certain, impossible or enough."""
    rounded = round(chance, 2)
    misleads = rounded in {0.0, 1.0, ENOUGH_PROBABILITY} and rounded != chance
    return f"{math.floor(chance * 1000) / 10:.1f}%" if misleads else f"{rounded:.0%}"


def _verdict(row: Mapping[str, Any], alternative: Alternative, night: Night) -> dict[str, Any]:
    """Whether the alternative may be recommended, and the sentence that says why or why not."""
    saving, chance = row["monthly_saving_usd_p50"], row["probability"]
    if alternative.blocked:
        return {"is_eligible": False, "reason": alternative.blocked}
    if saving <= 0:
        words = f"costs {-saving:,.0f} a month more than it saves" if saving < 0 else "saves nothing"
        return {"is_eligible": False, "reason": words}
    if saving < night.materiality_usd:
        least = night.materiality_usd
        return {"is_eligible": False, "reason": f"saves {saving:,.0f} a month, under the materiality of {least:,.0f}"}
    if chance < ENOUGH_PROBABILITY:
        words = f"pays back with a chance of {chance_words(chance)}, under {ENOUGH_PROBABILITY:.0%}"
        return {"is_eligible": False, "reason": words}
    if row["expected_value_usd"] <= 0:
        words = f"its quality is unmeasured, and at a chance of {GATE_CHANCE:.0%} it costs more than it saves"
        return {"is_eligible": False, "reason": words}
    beyond = "; its tokens per parameter lie beyond the data of the law" if alternative.is_extrapolated else ""
    words = f"saves {saving:,.0f} a month and pays back with a chance of {chance_words(chance)}{beyond}"
    return {"is_eligible": True, "reason": words}
