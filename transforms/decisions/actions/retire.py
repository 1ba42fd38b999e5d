"""Taking a model out of service: what keeping it costs against serving its traffic elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.portfolio.valuation import ramp
from transforms.decisions.supply.substitute_price import host_price

if TYPE_CHECKING:
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.substitute_price import HostPrice

ACTION: Final = "retire"
LEAD_MONTHS: Final = 1.0
MOVE_MONTHS: Final = 2.0


def retire_proposal(subject: Subject, successor: Subject) -> Proposal:
    """All traffic at the price it has on the successor; which one that is, `Company.hosts` says."""
    night, price = subject.night, host_price(subject, successor, share=1.0)
    return Proposal(
        _onto(subject, successor, price),
        one_off=np.full(night.draws, night.evaluation_usd + night.migration_usd),
        saving_per_token=subject.allocated_price - price.allocated,
        fixed=np.zeros(night.draws),
        ramp=ramp(subject.months, LEAD_MONTHS, MOVE_MONTHS, stop=successor.months),
        idle_per_token=subject.allocated_price - subject.used_price - price.idle,
    )


def _onto(subject: Subject, successor: Subject, price: HostPrice) -> Alternative:
    return Alternative(
        action=ACTION,
        model_id=subject.model_id,
        target_model_id=successor.model_id,
        target_params=successor.position["params"],
        is_measured=False,
        quality_gate=f"quality unmeasured: its users accept {successor.model_id}; evaluate it on their tasks",
        assumptions={
            "keeping_usd_per_mtok": float(subject.position["allocated_usd_per_mtok"]),
            "successor_usd_per_mtok": price.usd_per_mtok,
            "successor_price_basis": price.basis,
            "evaluation_usd": subject.night.evaluation_usd,
            "migration_usd": subject.night.migration_usd,
        }
        | subject.outlook()
        | subject.night.calendar(LEAD_MONTHS, MOVE_MONTHS),
    )


def unused_proposal(subject: Subject) -> Proposal:
    """A model that nobody has asked for in four weeks gives back what serves it; no traffic has to move."""
    night, monthly = subject.night, float(subject.position["monthly_inference_usd"])
    alternative = Alternative(
        action=ACTION,
        model_id=subject.model_id,
        quality_gate="none: no requests in four weeks; its owner agrees",
        assumptions={"keeping_usd_a_month": monthly}
        | subject.outlook()
        | subject.night.calendar(LEAD_MONTHS, MOVE_MONTHS),
    )
    nothing = np.zeros(night.draws)
    moved = ramp(subject.months, LEAD_MONTHS, MOVE_MONTHS)
    return Proposal(alternative, nothing, nothing, nothing - monthly * subject.price_level, moved)
