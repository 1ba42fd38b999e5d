"""Giving back the GPUs of a pool that its demand will not need, the uncommitted ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.decisions.actions.alternatives import Alternative, Proposal
from transforms.decisions.demand.demand_draws import DAYS_PER_MONTH, P90
from transforms.decisions.portfolio.valuation import ramp
from transforms.decisions.randomness import generator
from transforms.decisions.supply.pool_states import LEVEL_WEEKS
from transforms.decisions.supply.serving_price import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night

ACTION: Final = "release_capacity"
HORIZON_MONTHS: Final = 12
LEAD_MONTHS: Final = 0.5
MOVE_MONTHS: Final = 0.5
# Months to the next renewal where no purchase tells it: half of a one-year term.
ASSUMED_RENEWAL_MONTHS: Final = 6.0
# A day of bills says nothing about what a pool will need.
LEAST_HOURS: Final = 24 * 7
_STALE_DAYS: Final = 3
# On-demand over effective price where the bill lists none: the order of a one-year commitment's discount.
_ASSUMED_PREMIUM: Final = 1.4


def release_proposal(night: Night, pool: Mapping[str, Any]) -> Proposal | Alternative:
    """What demand at P90 leaves over; a month in which demand comes back is bought on demand, as a whole."""
    missing = _missing(night, pool)
    if missing:
        return Alternative(ACTION, pool_id=pool["pool_id"], missing=missing)
    needed = pool["busy_gpus"] * np.exp(P90 * pool["use_sigma"])
    freed = max(float(np.floor(pool["capacity_gpus"] - needed)), 0.0)
    price, dear = pool["usd_per_gpu_hour"], on_demand_price(pool)
    # what the pool would lack with all of its GPUs it lacks whether or not some are given back
    short = np.clip(_needs(night, pool) - (pool["capacity_gpus"] - freed), 0, freed).mean(axis=0)
    monthly = freed * price * HOURS_PER_MONTH + float(pool["unused_usd"])
    alternative = Alternative(
        action=ACTION,
        pool_id=pool["pool_id"],
        blocked="" if monthly > 0 else "its busy hours need all of it",
        assumptions=_assumptions(night, pool, needed, freed, dear),
    )
    return Proposal(
        alternative,
        one_off=np.zeros(night.draws),
        saving_per_token=np.zeros(night.draws),
        fixed=short * dear * HOURS_PER_MONTH - monthly,
        ramp=_ramp(night, pool, freed, monthly),
    )


def _needs(night: Night, pool: Mapping[str, Any]) -> Floats:
    """GPUs that the busy hours of each month ahead need, by draw: use wanders from where it is."""
    steps = generator(night.as_of, "pool", pool["pool_id"]).standard_normal((HORIZON_MONTHS, night.draws))
    step_sigma = pool["use_sigma"] * (DAYS_PER_MONTH / (7 * LEVEL_WEEKS)) ** 0.5
    return np.asarray(pool["busy_gpus"] * np.exp(step_sigma * steps.cumsum(axis=0)))


def on_demand_price(pool: Mapping[str, Any]) -> float:
    """What an hour costs if it is needed again."""
    listed = pool["on_demand_usd_per_gpu_hour"]
    return float(max(listed or _ASSUMED_PREMIUM * pool["usd_per_gpu_hour"], pool["usd_per_gpu_hour"]))


def renewal_months(night: Night, pool: Mapping[str, Any]) -> float:
    """Months until the commitment ends; 6 are assumed where no purchase with its end is in the bill."""
    if pool["renews_on"] is None:
        return ASSUMED_RENEWAL_MONTHS
    return float((pool["renews_on"] - night.as_of).days / DAYS_PER_MONTH)


def _ramp(night: Night, pool: Mapping[str, Any], freed: float, monthly: float) -> Floats:
    """On-demand hours end at once, committed ones and unused commitments with the renewal."""
    price = pool["usd_per_gpu_hour"] * HOURS_PER_MONTH
    at_once = min(freed, pool["capacity_gpus"] * (1 - pool["committed_ratio"])) * price
    share = at_once / monthly if monthly > 0 else 1.0
    later = max(renewal_months(night, pool), LEAD_MONTHS)
    now = ramp(HORIZON_MONTHS, LEAD_MONTHS, MOVE_MONTHS)
    return np.asarray(share * now + (1 - share) * ramp(HORIZON_MONTHS, later, MOVE_MONTHS))


def _missing(night: Night, pool: Mapping[str, Any]) -> str:
    if (night.as_of - pool["billed_until"]).days > _STALE_DAYS:
        last = pool["billed_until"]
        return f"it has not been billed since {last}: nothing is left to release; if it is still held, deliver its bill"
    if pool["hours"] < LEAST_HOURS:
        return f"only {pool['hours']} billed hours are known: deliver a week of its bill to show what it needs"
    if not pool["usd_per_gpu_hour"]:
        return "its GPU-hours have no price: deliver their charges, or a rate in rates.csv"
    return ""


def _assumptions(night: Night, pool: Mapping[str, Any], needed: float, freed: float, dear: float) -> dict[str, Any]:
    return {
        "capacity_gpus": pool["capacity_gpus"],
        "used_gpus_mean": pool["used_gpus"],
        "busy_gpus": pool["busy_gpus"],
        "needed_gpus_p90": needed,
        "gpus_released": freed,
        "use_sigma": pool["use_sigma"],
        "usd_per_gpu_hour": pool["usd_per_gpu_hour"],
        "on_demand_usd_per_gpu_hour": dear,
        "is_on_demand_price_assumed": pool["on_demand_usd_per_gpu_hour"] is None,
        "committed_ratio": pool["committed_ratio"],
        "unused_commitments_usd_a_month": float(pool["unused_usd"]),
        "renews_on": pool["renews_on"] and pool["renews_on"].isoformat(),
        "horizon_months": HORIZON_MONTHS,
        "discount_ratio": night.discount_ratio,
    }
