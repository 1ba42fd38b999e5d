"""Whether an alternative may be recommended, and why or why not: it pays, is blocked, or is worth too little."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from transforms.decisions.actions.alternatives import Verdict
from warehouse.vocabulary import ENOUGH_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.actions.alternatives import Proposal
    from transforms.decisions.supply.fleet import Fleet


def chance_words(chance: float) -> str:
    """Whole percent; with a decimal, cut, where rounding would make it certain, impossible or enough."""
    rounded = round(chance, 2)
    misleads = rounded in {0.0, 1.0, ENOUGH_PROBABILITY} and rounded != chance
    return f"{math.floor(chance * 1000) / 10:.1f}%" if misleads else f"{rounded:.0%}"


def eligibility(row: Mapping[str, Any], proposal: Proposal, fleet: Fleet) -> dict[str, Any]:
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
