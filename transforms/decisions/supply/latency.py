"""Whether another size keeps the latency that users were promised, and what keeping it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transforms.compute import CHIPS
from transforms.decisions.actions.alternatives import Verdict
from transforms.decisions.supply.roofline import MEMORY_BYTES
from transforms.decisions.supply.serving_plan import Limits, Load, busy_load, cheapest, limits_of
from transforms.decisions.supply.serving_price import shape_of
from transforms.periods import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transforms.decisions.actions.alternatives import Proposal
    from transforms.decisions.portfolio.simulation_context import Subject
    from transforms.decisions.supply.roofline import Shape

_LIMITS = ("ttft_s_limit", "tpot_s_limit")


def within_limits(
    proposal: Proposal, subject: Subject, states: Sequence[Mapping[str, Any]], share: float = 1.0
) -> Proposal:
    """The proposal of a dense model of its target's size, blocked where no batch and width of the chips is fast enough.

    What the limits cost beside the cheapest plan without them stands among its assumptions. Its saving does not count
    that: it starts from what the model costs today, latency and all.
    """
    alternative = proposal.alternative
    limited = [state for state in states if any(state[name] is not None for name in _LIMITS)]
    if not limited or alternative.target_params is None:
        return proposal
    shape = shape_of(alternative.target_params)
    modelled = [state for state in limited if state["gpu_model"] in CHIPS and state["gpu_model"] in MEMORY_BYTES]
    too_slow = [state for state in modelled if cheapest(_part(state, share), shape, limits_of(state)) is None]
    latency: dict[str, Any] = {"is_latency_planned": len(modelled) == len(limited)}
    if too_slow:
        blocked: Verdict | None = Verdict("too_slow", _words(too_slow[0], alternative.target_params))
    else:
        blocked = None
        price = (subject.position["usd_per_gpu_hour"] or 0.0) * HOURS_PER_MONTH
        latency["latency_premium_usd_a_month"] = price * sum(_premium(state, shape, share) for state in modelled)
    checked = replace(
        alternative, blocked=alternative.blocked or blocked, assumptions={**alternative.assumptions, **latency}
    )
    return replace(proposal, alternative=checked)


def _words(state: Mapping[str, Any], params: float) -> str:
    limits = " and ".join(
        f"{words} within {state[name]:g} s"
        for name, words in zip(_LIMITS, ("a first token", "a token"), strict=True)
        if state[name] is not None
    )
    deployment, size = state["deployment_id"], f"{params / 1e9:.3g}B"
    return (
        f"no batch and width of {state['gpu_model']} gives {limits} at {size}, as deployments.csv asks of {deployment}"
    )


def _part(state: Mapping[str, Any], share: float) -> Load:
    """The busy load of a task's share of the deployment."""
    load = busy_load(state)
    return replace(load, input_per_s=share * load.input_per_s, output_per_s=share * load.output_per_s)


def _premium(state: Mapping[str, Any], shape: Shape, share: float) -> float:
    """GPUs with the limits less GPUs without."""
    load = _part(state, share)
    kept, free = cheapest(load, shape, limits_of(state)), cheapest(load, shape, Limits())
    return kept.gpus(1) - free.gpus(1) if kept and free else 0.0
