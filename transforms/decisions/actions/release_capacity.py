"""Giving back the GPUs of a pool that its demand will not need; nobody's answers change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import Alternative, Proposal, Verdict
from transforms.decisions.actions.gpu_changes import ramp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.supply.fleet import Fleet

ACTION: Final = "release_capacity"
HORIZON_MONTHS: Final = 12
LEAD_MONTHS: Final = 0.5
MOVE_MONTHS: Final = 0.5
# A day of bills says nothing about what a pool will need.
LEAST_HOURS: Final = 24 * 7
_STALE_DAYS: Final = 3
_HIGH: Final = 0.9


def release_proposal(pool: Mapping[str, Any], fleet: Fleet) -> Proposal | Alternative:
    """What stands idle beside the demand of the year at P90, until what is announced takes it.

    A month in which demand comes back is bought as demand is: the GPUs of it save nothing then. What a launch will need
    next month is not given back for this one.
    """
    pool_id, night = pool["pool_id"], fleet.night
    missing = _missing(pool, fleet)
    if missing:
        return Alternative(ACTION, pool_id=pool_id, missing=missing)
    demand = fleet.pool(pool_id)
    announced = fleet.announced_gpus(pool_id)
    users = np.broadcast_to(demand.users - announced, (fleet.horizon, night.draws))[:HORIZON_MONTHS]
    needed = float(np.quantile(users.mean(axis=0), _HIGH))
    standing = float(np.median(demand.idle[0]))
    capacity = float(demand.supply.capacity[0, 0])
    # what is announced for the month after, or for the last month alone, stays for it
    taken = announced[: HORIZON_MONTHS + 1, 0]
    taken = np.maximum(taken, np.append(taken[1:], taken[-1]))[:HORIZON_MONTHS]
    spare = np.floor(np.clip(np.minimum(capacity - needed - taken, standing), 0, None) + 1e-9)
    free = np.minimum.accumulate(spare)
    freed = float(free[0])
    given = np.zeros((fleet.horizon, 1))
    given[:HORIZON_MONTHS, 0] = ramp(HORIZON_MONTHS, LEAD_MONTHS, MOVE_MONTHS) * free
    again = fleet.announced_from(pool_id) if free[-1] < freed else None
    alternative = Alternative(
        action=ACTION,
        pool_id=pool_id,
        blocked=None if freed > 0 else Verdict("all_in_use", "its busy hours, or what is announced, need all of it"),
        assumptions=_assumptions(pool, fleet, needed, freed)
        | {"needed_again_on": again and again.isoformat(), "gpus_released_at_last": float(free[-1])},
    )
    return Proposal(
        alternative,
        one_off=np.zeros(night.draws),
        gpus={},
        months=float(HORIZON_MONTHS),
        released={pool_id: given},
    )


def _missing(pool: Mapping[str, Any], fleet: Fleet) -> str:
    if pool["pool_id"] not in fleet.supplies:
        last = pool["billed_until"]
        return f"it has not been billed since {last}: nothing is left to release; if it is still held, deliver its bill"
    if pool["hours"] < LEAST_HOURS:
        return f"only {pool['hours']} billed hours are known: deliver a week of its bill to show what it needs"
    if not pool["usd_per_gpu_hour"]:
        return "its GPU-hours have no price: deliver their charges, or a rate in rates.csv"
    return ""


def _assumptions(pool: Mapping[str, Any], fleet: Fleet, needed: float, freed: float) -> dict[str, Any]:
    first = [row for row in fleet.rows[pool["pool_id"]] if row["months_ahead"] == 0]
    held = {kind: sum(row["gpus"] for row in first if row["supply_kind"] == kind) for kind in _KINDS}
    assumed = next(row["is_rate_assumed"] for row in first if row["supply_kind"] == "on_demand")
    total = sum(held.values())
    return {
        "capacity_gpus": total,
        "used_gpus_mean": pool["used_gpus"],
        "busy_gpus": pool["busy_gpus"],
        "needed_gpus_p90": needed,
        "gpus_released": freed,
        "use_sigma": pool["use_sigma"],
        "usd_per_gpu_hour": pool["usd_per_gpu_hour"],
        "on_demand_usd_per_gpu_hour": fleet.supplies[pool["pool_id"]].on_demand_rate,
        "is_on_demand_price_assumed": assumed,
        "committed_ratio": held["committed"] / total if total else 0.0,
        "owned_ratio": held["owned"] / total if total else 0.0,
        "unused_commitments_usd_a_month": float(pool["unused_usd"]),
        "renews_on": pool["renews_on"] and pool["renews_on"].isoformat(),
        "horizon_months": HORIZON_MONTHS,
        "discount_ratio": fleet.night.discount_ratio,
    }


_KINDS: Final = ("owned", "committed", "on_demand")
