"""One alternative before and after it is valued."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from transforms.decisions.portfolio.valuation import Cash
from transforms.decisions.quantiles import median, percentiles
from transforms.decisions.randomness import generator
from warehouse.vocabulary import ENOUGH_PROBABILITY

if TYPE_CHECKING:
    import datetime as dt

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night
    from transforms.decisions.supply.fleet import Fleet

# Chance of a positive value, given the quality gate, from which anybody is asked to act.
# Chance that a student nobody has evaluated will pass the gate: an even bet, until workloads.csv says better.
GATE_CHANCE: Final = 0.5
# Spread of the GPU-seconds of a token on another size or host around what the roofline or its realised use says.
THROUGHPUT_SIGMA: Final = 0.10
_DIGITS: Final = 6
_PLAIN: Final = frozenset({str, int, bool})
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


class Verdict(NamedTuple):
    """What stands against an alternative: its code, and the sentence for who reads the table."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Alternative:
    """What could be done with one model, task or pool.

    Attributes:
        standing: safe (no answer changes), measured, evaluate_first, or data_request where it cannot be valued.
        gate_probability: chance that the quality gate is passed; 1 where no answer changes or it was measured.
        missing: what is not known and how to supply it; empty where the alternative can be valued.
        blocked: why it may not be recommended whatever it is worth; None where nothing stands against it.
    """

    action: str
    model_id: str | None = None
    task: str | None = None
    pool_id: str | None = None
    deployment_id: str | None = None
    target_model_id: str | None = None
    target_params: float | None = None
    target_tokens: float | None = None
    standing: str = "safe"
    gate_probability: float = 1.0
    is_extrapolated: bool = False
    quality_gate: str = "none: the answers do not change"
    missing: str = ""
    blocked: Verdict | None = None
    assumptions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_measured(self) -> bool:
        """Whether nothing of its quality is left to evaluate."""
        return self.standing != "evaluate_first"


@dataclass(frozen=True)
class Proposal:
    """An alternative as a change of GPU demand, and what it pays beside GPUs.

    Attributes:
        one_off: training, evaluation and migration, USD by draw.
        gpus: by pool, months × draws: GPUs more in use, fewer where negative.
        released: by pool, months × 1: GPUs given back of those that stand idle.
        months: service ahead of what it changes.
        failed: paid where the quality gate is not passed, USD by draw.
        cuts: GPUs to which it cuts a deployment, by its key.
        loads: GPUs' worth of traffic that it puts on a host, by the key of the host, months × draws.
    """

    alternative: Alternative
    one_off: Floats
    gpus: Mapping[str, Floats]
    months: float
    released: Mapping[str, Floats] = field(default_factory=dict)
    failed: Floats | float = 0.0
    cuts: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    loads: Mapping[tuple[str, str, str], Floats] = field(default_factory=dict)

    @property
    def pool_ids(self) -> list[str]:
        """The pools whose demand it changes."""
        return sorted({*self.gpus, *self.released})

    def passes(self, night: Night) -> Floats:
        """Whether the quality gate is passed, by draw: as many draws as the chance says."""
        one = self.alternative
        if one.gate_probability >= 1:
            return np.ones(night.draws, dtype=bool)
        size = "" if one.target_params is None else f"{one.target_params:.6g}"
        name = (str(one.model_id), str(one.task), str(one.target_model_id or size))
        order = generator(night.as_of, "gate", one.action, *name).permutation(night.draws)
        return np.asarray(order < one.gate_probability * night.draws)


def json_text(value: object) -> str:
    """Compact JSON with sorted keys and six digits, so that equal content is equal bytes."""
    return json.dumps(_rounded(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _rounded(value: object) -> object:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


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
    return row | _verdict(row, proposal, fleet)


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


def chance_words(chance: float) -> str:
    """Whole percent; with a decimal, cut, where rounding would make it certain, impossible or enough."""
    rounded = round(chance, 2)
    misleads = rounded in {0.0, 1.0, ENOUGH_PROBABILITY} and rounded != chance
    return f"{math.floor(chance * 1000) / 10:.1f}%" if misleads else f"{rounded:.0%}"


def _verdict(row: Mapping[str, Any], proposal: Proposal, fleet: Fleet) -> dict[str, Any]:
    """Whether the alternative may be recommended, and the code and the sentence of why or why not."""
    against = proposal.alternative.blocked or _too_little(row, proposal, fleet)
    if against:
        return {"is_eligible": False, "reason_code": against.code, "reason": against.sentence}
    saving, chance = row["monthly_saving_if_passed_usd_p50"], chance_words(row["probability_if_passed"])
    beyond = "; it lies beyond the data of the law" if proposal.alternative.is_extrapolated else ""
    words = f"saves {saving:,.0f} a month and pays back with a chance of {chance}{beyond}"
    if not proposal.alternative.is_measured:
        words = f"evaluate first, for {row['evaluation_price_usd']:,.0f}: if the gate is passed it {words}"
    return {"is_eligible": True, "reason_code": "pays", "reason": words}


def _too_little(row: Mapping[str, Any], proposal: Proposal, fleet: Fleet) -> Verdict | None:
    """Why it is not worth asking for; None where it is."""
    saving, chance = row["monthly_saving_if_passed_usd_p50"], row["probability_if_passed"]
    least, gate = fleet.night.materiality_usd, proposal.alternative.gate_probability
    if saving < 0:
        return Verdict("costs_more", f"costs {-saving:,.0f} a month more than it saves")
    if saving == 0:
        return _nothing_saved(proposal, fleet)
    if saving < least:
        return Verdict("below_materiality", f"saves {saving:,.0f} a month, under the materiality of {least:,.0f}")
    if chance < ENOUGH_PROBABILITY:
        return Verdict("unlikely", f"pays back with a chance of {chance_words(chance)}, under {ENOUGH_PROBABILITY:.0%}")
    if row["expected_value_usd"] <= 0:
        words = f"its quality is unmeasured, and at a chance of {gate:.0%} it costs more than it saves"
        return Verdict("costs_more_on_average", words)
    return None


def _nothing_saved(proposal: Proposal, fleet: Fleet) -> Verdict:
    """Why fewer GPUs save nothing: they are paid for until a contract ends, or were bought."""
    frees = any((gpus < 0).any() for gpus in proposal.gpus.values()) or bool(proposal.released)
    if not frees:
        return Verdict("saves_nothing", "saves nothing")
    for each in fleet.contracts(proposal.pool_ids):
        paid_until = f"{each['ends_on_latest']} ({each['commitment_discount_id']})"
        words = f"saves nothing: the GPUs that it frees are paid until {paid_until}, used or not"
        return Verdict("paid_until_contract_end", words)
    if any(fleet.supplies[pool_id].owned.any() for pool_id in proposal.pool_ids):
        words = "saves nothing: the GPUs that it frees were bought; give their power in assets.csv if it could be saved"
        return Verdict("hardware_owned", words)
    return Verdict("saves_nothing", "saves nothing")
