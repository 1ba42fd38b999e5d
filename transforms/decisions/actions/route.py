"""A task goes to a smaller model that already serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.portfolio.valuation import ramp
from transforms.decisions.supply.substitute_price import host_price

if TYPE_CHECKING:
    from transforms.decisions.actions.task_migration import Departure, Evidence
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.substitute_price import HostPrice

ACTION: Final = "route"
LEAD_MONTHS: Final = 0.5
MOVE_MONTHS: Final = 1.0


def route_proposal(departure: Departure, student: Subject, evidence: Evidence | None) -> Proposal:
    """The task at its price on the student, what is not kept at both prices; unmeasured, it is evaluated first."""
    teacher, night = departure.teacher, departure.teacher.night
    share, kept = departure.share, departure.kept(student.model_id, evidence)
    one_off = night.migration_usd + (0 if evidence else night.evaluation_usd)
    price = host_price(teacher, student, departure.task.share)
    return Proposal(
        _alternative(departure, student, evidence, {"one_off_usd": one_off} | _priced(price)),
        one_off=np.full(night.draws, one_off),
        saving_per_token=share * (kept * teacher.allocated_price - price.allocated),
        fixed=np.zeros(night.draws),
        ramp=ramp(teacher.months, LEAD_MONTHS, MOVE_MONTHS, stop=student.months),
        idle_per_token=share * (kept * (teacher.allocated_price - teacher.used_price) - price.idle),
    )


def _priced(price: HostPrice) -> dict[str, Any]:
    return {"student_usd_per_mtok": price.usd_per_mtok, "student_price_basis": price.basis}


def _alternative(
    departure: Departure, student: Subject, evidence: Evidence | None, cost: dict[str, Any]
) -> Alternative:
    task = departure.task
    return Alternative(
        action=ACTION,
        model_id=departure.teacher.model_id,
        task=task.name,
        target_model_id=student.model_id,
        target_params=student.position["params"],
        is_measured=evidence is not None,
        quality_gate=departure.gate_words(student.model_id, evidence),
        blocked=departure.blocked(evidence),
        assumptions=departure.assumptions(evidence) | cost | departure.teacher.night.calendar(LEAD_MONTHS, MOVE_MONTHS),
    )
