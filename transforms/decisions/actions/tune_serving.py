"""The same model on fewer chips: fuller batches and fewer copies, within what the users need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.compute import CHIPS
from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.actions.gpu_changes import homes_missing, moved_share, own_holdings
from transforms.decisions.supply.roofline import MEMORY_BYTES
from transforms.decisions.supply.serving_losses import serving_losses
from transforms.decisions.supply.serving_plan import PLANNED_SHARE, Limits, Plan, busy_load, cheapest, limits_of
from transforms.decisions.supply.serving_price import shape_of
from transforms.periods import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.fleet import Fleet
    from transforms.decisions.supply.roofline import Shape

ACTION: Final = "tune_serving"
LEAD_MONTHS: Final = 0.5
MOVE_MONTHS: Final = 1.0
_HIGH: Final = 0.9


def tune_missing(state: Mapping[str, Any], subject: Subject) -> str:
    """What is not known of the deployment, and how to supply it; empty where it can be planned."""
    name, pool = state["deployment_id"], state["pool_id"]
    if state["models"] > 1:
        return (
            f"{name} serves {state['models']} models at once, and which GPUs each needs is not known: give each a "
            "deployment of its own with its gpu_count in deployments.csv"
        )
    if not subject.position["active_params"]:
        return "its size is unknown: give params in models.csv"
    if state["gpu_model"] not in CHIPS or state["gpu_model"] not in MEMORY_BYTES:
        return f"the chip of {name} is unknown: give gpu_model of pool {pool} in pools.csv"
    return ""


def tune_proposal(state: Mapping[str, Any], subject: Subject, fleet: Fleet) -> Proposal | Alternative:
    """The deployment on the fewest chips for its busy hours, grown as demand may grow; or why it cannot be planned."""
    position, night = subject.position, subject.night
    shape, load = shape_of(position["active_params"], position["params"]), busy_load(state)
    home = {"pool_id": state["pool_id"], "deployment_id": state["deployment_id"]}
    planned = cheapest(load, shape, limits_of(state))
    if planned is None:
        words = "no batch and width of this chip keeps the limits of deployments.csv"
        return Alternative(ACTION, subject.model_id, **home, missing=words)
    own = [holding for holding in own_holdings(subject, fleet) if holding.row["user_id"] == state["deployment_id"]]
    if not own:
        words = (
            homes_missing(subject, fleet)
            or f"the pool of {state['deployment_id']} is not billed: give it in deployments.csv"
        )
        return Alternative(ACTION, subject.model_id, **home, missing=words)
    growth, holding = _growth(subject), own[0]
    least = planned.gpus(growth)
    after = replace(holding, most=least)
    moved = moved_share(subject, fleet, LEAD_MONTHS, MOVE_MONTHS)
    freed = max(holding.gpus - least, 0.0)
    price = fleet.rows[holding.pool_id][0]["usd_per_gpu_hour"] * HOURS_PER_MONTH
    alternative = Alternative(
        action=ACTION,
        model_id=subject.model_id,
        **home,
        quality_gate=_gate(state),
        assumptions=_assumptions(state, planned, growth, freed)
        | night.calendar(LEAD_MONTHS, MOVE_MONTHS)
        | _premium(state, shape, planned, price)
        | serving_losses(state, shape, planned, price),
    )
    return Proposal(
        alternative,
        one_off=np.full(night.draws, night.migration_usd),
        gpus={holding.pool_id: (after.held - holding.held) * moved if freed else np.zeros((fleet.horizon, 1))},
        months=subject.months,
        cuts={holding.key: least},
    )


def _growth(subject: Subject) -> float:
    """How much larger than at first the demand may become, at the high end of its draws."""
    first = np.median(subject.tokens[0])
    return float(np.quantile(subject.monthly_tokens / first, _HIGH)) if first else 1.0


def _gate(state: Mapping[str, Any]) -> str:
    limits = [
        f"{name} at most {state[column]:g} s"
        for name, column in (("time to first token", "ttft_s_limit"), ("time per token", "tpot_s_limit"))
        if state[column] is not None
    ]
    return " and ".join(limits) or "no limit on latency is known: give ttft_s_limit and tpot_s_limit in deployments.csv"


def _assumptions(state: Mapping[str, Any], planned: Plan, growth: float, freed: float) -> dict[str, Any]:
    return {
        "deployment_id": state["deployment_id"],
        "gpu_model": state["gpu_model"],
        "gpus_held": state["gpu_count"],
        "gpus_planned": planned.gpus(growth),
        "gpus_freed": freed,
        "gpus_each_copy": planned.gpus_each,
        "batch_planned": planned.batch,
        "tpot_s_planned": planned.tpot_s,
        "tpot_s_measured": state["tpot_s"],
        "concurrency_measured": state["concurrency"],
        "demand_growth_p90": growth,
        "planned_share_of_seconds": PLANNED_SHARE,
    }


def _premium(state: Mapping[str, Any], shape: Shape, planned: Plan, price: float) -> dict[str, float]:
    """What the latency that users need costs a month: chips with the limits less chips without."""
    free = cheapest(busy_load(state), shape, Limits())
    return {} if free is None else {"latency_premium_usd_a_month": (planned.gpus(1) - free.gpus(1)) * price}
