"""A task goes to a smaller model that already serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import GATE_CHANCE, Alternative, Proposal
from transforms.decisions.actions.gpu_changes import add_gpus, host_gpus, hosted_load, moved_share, own_holdings

if TYPE_CHECKING:
    from transforms.decisions.actions.task_migration import Departure, Evidence
    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.fleet import Fleet

ACTION: Final = "route"
LEAD_MONTHS: Final = 0.5
MOVE_MONTHS: Final = 1.0


def route_proposal(departure: Departure, student: Subject, evidence: Evidence | None, fleet: Fleet) -> Proposal:
    """The task's GPUs leave the teacher as far as the student keeps it; the student needs its own for all of it."""
    teacher, night = departure.teacher, departure.teacher.night
    share, kept = departure.share, departure.kept(student.model_id, evidence)
    one_off = night.migration_usd + (0 if evidence else night.evaluation_usd)
    moved = moved_share(teacher, fleet, LEAD_MONTHS, MOVE_MONTHS, stop=student.months)
    gpus: dict[str, Floats] = {}
    leaves = -(share * kept)
    for holding in own_holdings(teacher, fleet):
        less = holding.needed * leaves
        less *= moved
        add_gpus(gpus, holding.pool_id, less)
    home, load, basis = hosted_load(teacher, student, fleet, share)
    loads = host_gpus(home, load * moved, fleet, gpus)
    terms = {"one_off_usd": one_off, "student_gpus_basis": basis, "student_pool_id": home.pool_id}
    return Proposal(
        _alternative(departure, student, evidence, terms),
        one_off=np.full(night.draws, float(one_off)),
        gpus=gpus,
        months=teacher.months,
        failed=night.evaluation_usd,
        loads=loads,
    )


def _alternative(
    departure: Departure, student: Subject, evidence: Evidence | None, terms: dict[str, Any]
) -> Alternative:
    task = departure.task
    return Alternative(
        action=ACTION,
        model_id=departure.teacher.model_id,
        task=task.name,
        target_model_id=student.model_id,
        target_params=student.position["params"],
        standing="measured" if evidence else "evaluate_first",
        gate_probability=1.0 if evidence else GATE_CHANCE,
        quality_gate=departure.gate_words(student.model_id, evidence),
        blocked=departure.blocked(evidence),
        assumptions=departure.assumptions(evidence)
        | terms
        | departure.teacher.night.calendar(LEAD_MONTHS, MOVE_MONTHS),
    )
