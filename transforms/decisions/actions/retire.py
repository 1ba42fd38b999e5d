"""Taking a model out of service: the GPUs that keeping it needs against those of its traffic elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.decisions.actions.alternatives import GATE_CHANCE, Alternative, Proposal
from transforms.decisions.actions.gpu_changes import add_gpus, host_gpus, hosted_load, moved_share, own_holdings

if TYPE_CHECKING:
    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.fleet import Fleet

ACTION: Final = "retire"
LEAD_MONTHS: Final = 1.0
MOVE_MONTHS: Final = 2.0
# Nobody's traffic has to move: once the owner has agreed, the GPUs go as idle ones do.
UNUSED_MOVE_MONTHS: Final = 0.5


def retire_proposal(subject: Subject, successor: Subject, fleet: Fleet) -> Proposal:
    """All its GPUs leave as its traffic moves to the successor; which one that is, `Company.hosts` says."""
    night = subject.night
    moved = moved_share(subject, fleet, LEAD_MONTHS, MOVE_MONTHS, stop=successor.months)
    gpus = _freed(subject, fleet, moved)
    home, load, basis = hosted_load(subject, successor, fleet, 1.0)
    loads = host_gpus(home, load * moved, fleet, gpus)
    alternative = Alternative(
        action=ACTION,
        model_id=subject.model_id,
        target_model_id=successor.model_id,
        target_params=successor.position["params"],
        standing="evaluate_first",
        gate_probability=GATE_CHANCE,
        quality_gate=f"quality unmeasured: its users accept {successor.model_id}; evaluate it on their tasks",
        assumptions={
            "gate_chance_assumed": GATE_CHANCE,
            "successor_gpus_basis": basis,
            "successor_pool_id": home.pool_id,
            "gpus_held": sum(holding.gpus for holding in own_holdings(subject, fleet)),
            "evaluation_usd": night.evaluation_usd,
            "migration_usd": night.migration_usd,
        }
        | subject.outlook()
        | night.calendar(LEAD_MONTHS, MOVE_MONTHS),
    )
    one_off = np.full(night.draws, night.evaluation_usd + night.migration_usd)
    return Proposal(alternative, one_off, gpus, subject.months, failed=night.evaluation_usd, loads=loads)


def unused_proposal(subject: Subject, fleet: Fleet) -> Proposal:
    """A model that nobody has asked for in four weeks gives back what serves it; no traffic has to move."""
    night = subject.night
    alternative = Alternative(
        action=ACTION,
        model_id=subject.model_id,
        quality_gate="none: its own telemetry holds no request in four weeks; its owner agrees",
        assumptions={
            "keeping_usd_a_month": float(subject.position["monthly_inference_usd"]),
            "gpus_held": sum(holding.gpus for holding in own_holdings(subject, fleet)),
        }
        | subject.outlook()
        | night.calendar(LEAD_MONTHS, UNUSED_MOVE_MONTHS),
    )
    gpus = _freed(subject, fleet, moved_share(subject, fleet, LEAD_MONTHS, UNUSED_MOVE_MONTHS))
    return Proposal(alternative, np.zeros(night.draws), gpus, subject.months)


def _freed(subject: Subject, fleet: Fleet, moved: Floats) -> dict[str, Floats]:
    gpus: dict[str, Floats] = {}
    for holding in own_holdings(subject, fleet):
        add_gpus(gpus, holding.pool_id, -holding.held * moved)
    return gpus
