"""The parts that changes of GPU demand are made of: what leaves a model's GPUs, and what another needs for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from transforms.decisions.actions.alternatives import THROUGHPUT_SIGMA
from transforms.decisions.demand.demand_draws import whole_months
from transforms.decisions.randomness import generator
from transforms.decisions.supply.fleet import daily_tokens, is_forecast
from transforms.decisions.supply.substitute_price import BY_HARDWARE, REALISED, is_within_reach, step_ratio
from transforms.periods import DAYS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.law.laws import Floats
    from transforms.decisions.portfolio.simulation_context import Night, Subject
    from transforms.decisions.supply.fleet import Fleet, Holding

SHARED: Final = "its GPUs stay for the other models that"


def homes_missing(subject: Subject, fleet: Fleet) -> str:
    """Why it cannot be told what GPUs the model would give back; empty where it can."""
    name, own = subject.model_id, fleet.of_model(subject.model_id)
    if any(not holding.is_shared for holding in own):
        return ""
    shared = sorted(
        str(each.row["user_id"])
        for pool_id in fleet.holdings
        for each in fleet.holdings[pool_id]
        if each.is_shared and name in fleet.shared_models.get(str(each.row["user_id"]), ())
    )
    if shared:
        words = "give each model a deployment of its own with its gpu_count in deployments.csv"
        return f"{SHARED} {shared[0]} serves: {words}"
    words = "give its deployment and pool in deployments.csv, or attribute its charges in attribution.csv"
    return f"no billed GPUs are known to serve {name}: {words}"


def own_holdings(subject: Subject, fleet: Fleet) -> list[Holding]:
    """What serves the model alone."""
    return [holding for holding in fleet.of_model(subject.model_id) if not holding.is_shared]


def moved_share(subject: Subject, fleet: Fleet, lead: float, move: float, stop: float = np.inf) -> Floats:
    """Share of the traffic that has moved in each month ahead, months × 1."""
    shares = np.zeros(fleet.horizon)
    ramped = ramp(float(whole_months(subject.months)), lead, move, stop)[: fleet.horizon]
    shares[: len(ramped)] = ramped
    return shares[:, None]


def ramp(remaining_months: float, lead: float, move: float, stop: float = np.inf) -> Floats:
    """Share of each month's traffic that has moved: nothing for `lead` months, then evenly over `move`.

    The last month counts as far as the model still serves in it; after `stop` months the traffic is back.
    """
    starts = np.arange(whole_months(remaining_months), dtype=float)
    last = min(remaining_months, stop)
    ends = np.minimum(starts + 1, last)
    return np.asarray(_moved_until(ends, lead, move) - _moved_until(np.minimum(starts, last), lead, move))


def _moved_until(month: Floats, lead: float, move: float) -> Floats:
    """Integral of the moved share from approval to `month`."""
    into = np.clip(month - lead, 0, move)
    return np.asarray(into**2 / (2 * move) + np.maximum(month - lead - move, 0))


def add_gpus(gpus: dict[str, Floats], pool_id: str, more: Floats) -> None:
    """GPUs more in use of a pool, added to what is there; `more` is the pool's from here on, and added to in place."""
    if pool_id not in gpus:
        gpus[pool_id] = more
    elif np.broadcast_shapes(gpus[pool_id].shape, more.shape) == gpus[pool_id].shape:
        gpus[pool_id] += more
    else:
        gpus[pool_id] = gpus[pool_id] + more


def throughput(night: Night, *name: str) -> Floats:
    """How far the GPU-seconds of a token may lie from what is expected, as a factor by draw."""
    return np.asarray(
        np.exp(THROUGHPUT_SIGMA * generator(night.as_of, "throughput", *name).standard_normal(night.draws))
    )


def hosted_load(mover: Subject, host: Subject, fleet: Fleet, share: Floats | float) -> tuple[Holding, Floats, str]:
    """GPUs' worth of a share of the mover's traffic on the host, months × draws, where they are, and how it is known.

    Within ten times what the host serves, by the GPUs that a token of its own has; beyond, by a step of the hardware.
    """
    homes = fleet.hosts_of(host.model_id)
    home = max(homes, key=lambda each: (each.gpus, each.pool_id))
    factor = throughput(fleet.night, mover.model_id, host.model_id)
    daily = float(np.mean(share)) * mover.position["daily_tokens"]
    if is_within_reach(host.position, daily) and is_forecast(host):
        ahead = mover.tokens[: fleet.horizon]
        # of GPUs that it shares with others a model has as many as its tokens, as it bears their cost
        shared = float(host.position["gpu_count"] or 0.0)
        gpus = shared if home.is_shared else sum(each.gpus for each in homes)
        each_token = gpus / (daily_tokens(host) * DAYS_PER_MONTH)
        load = np.zeros((fleet.horizon, fleet.night.draws))
        part = np.multiply(ahead, each_token, out=load[: len(ahead)])
        part *= share
        part *= factor
        return home, load, REALISED
    needed = sum((holding.needed for holding in own_holdings(mover, fleet)), np.zeros((1, 1)))
    ratio = step_ratio(mover.position, host.position)
    return home, np.asarray(needed * ratio * share * factor), BY_HARDWARE


def host_gpus(
    home: Holding, load: Floats, fleet: Fleet, gpus: dict[str, Floats]
) -> Mapping[tuple[str, str, str], Floats]:
    """Put a load on its host: GPUs that the host needs beyond those it holds are more in use of its pool."""
    more = fleet.hosted_gpus(home, load)
    add_gpus(gpus, home.pool_id, more.copy() if more is load else more)
    return {home.key: load}
