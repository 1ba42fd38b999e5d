"""The fewest chips that serve a deployment's load within its limits, and where the held ones go.

A replica spends its seconds on prompts (compute) and on steps of decoding (the slower of compute and memory). Copies
needed = seconds of work that a busy second brings, over the share of a replica's seconds that may be planned, at the
batch that the chip, its memory and the users allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transforms.compute import CHIPS
from transforms.decisions.supply.roofline import (
    MEMORY_BYTES,
    MEMORY_SHARE,
    WEIGHT_BYTES,
    Replica,
    Shape,
    critical_batch,
    least_gpus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# Share of a replica's seconds that may be planned; the rest is for peaks within the hour.
PLANNED_SHARE: Final = 0.7
_WIDER: Final = (1, 2, 4, 8)
# Chips that share a fast link, and what is left of their worth with each doubling of a copy: they wait for each other.
# An estimate; the plan's own time per token is printed beside the measured one.
_NODE: Final = 8
_DOUBLING: Final = 0.85
_BATCHES: Final = tuple(float(2 ** (step / 2)) for step in range(25))


@dataclass(frozen=True)
class Limits:
    """What the users of a deployment need; infinite where they said nothing."""

    ttft_s: float = float("inf")
    tpot_s: float = float("inf")


@dataclass(frozen=True)
class Load:
    """What a deployment has to do: tokens a second of prompts and of output, and the length of both in a request."""

    gpu_model: str
    input_per_s: float
    output_per_s: float
    prompt_tokens: float
    context_tokens: float


@dataclass(frozen=True)
class Plan:
    """Copies of a model on so many chips each, the batch they run at and the time of a token."""

    copy: Replica
    work: float
    batch: float
    tpot_s: float

    @property
    def gpus_each(self) -> int:
        """Chips of a copy."""
        return int(self.copy.gpus)

    def gpus(self, growth: float, planned_share: float = PLANNED_SHARE) -> float:
        """Chips for `growth` times the load: whole copies, at least one."""
        return self.gpus_each * max(float(np.ceil(self.work * growth / planned_share)), 1.0)

    @property
    def busy_gpus(self) -> float:
        """Chips that would be busy if copies could be cut at will."""
        return self.gpus_each * self.work


def busy_load(state: Mapping[str, Any]) -> Load:
    """The load of all but one hour in twenty."""
    rates = (state["busy_input_tokens_per_s"], state["busy_output_tokens_per_s"])
    return Load(state["gpu_model"], *rates, state["prompt_tokens"], state["context_tokens"])


def mean_load(state: Mapping[str, Any]) -> Load:
    """The load of the mean hour."""
    rates = (state["computed_input_tokens_per_s"], state["output_tokens_per_s"])
    return Load(state["gpu_model"], *rates, state["prompt_tokens"], state["context_tokens"])


def limits_of(state: Mapping[str, Any]) -> Limits:
    """The limits that deployments.csv gives the deployment."""
    return Limits(*(float("inf") if state[name] is None else state[name] for name in ("ttft_s_limit", "tpot_s_limit")))


def cheapest(load: Load, shape: Shape, limits: Limits) -> Plan | None:
    """The plan of fewest busy chips among widths and batches that keep the limits; None where none does."""
    least = least_gpus(load.gpu_model, shape)
    widths = () if least is None else tuple(least * wider for wider in _WIDER if least * wider <= max(least, _NODE))
    copies = [Replica(CHIPS[load.gpu_model], width, _DOUBLING ** np.log2(width / widths[0])) for width in widths]
    plans = (_plan(load, shape, copy, batch, limits) for copy in copies for batch in _BATCHES)
    return min((plan for plan in plans if plan), key=lambda plan: (plan.gpus(1), plan.busy_gpus), default=None)


def _plan(load: Load, shape: Shape, replica: Replica, batch: float, limits: Limits) -> Plan | None:
    cache = MEMORY_BYTES[load.gpu_model] * replica.gpus * MEMORY_SHARE - shape.params * WEIGHT_BYTES
    fits = batch * load.context_tokens * shape.kv_bytes_per_token <= cache
    step = float(replica.step_s(shape, batch, load.context_tokens))
    first = float(replica.prefill_s(shape, load.prompt_tokens)) + step
    if not fits or step > limits.tpot_s or first > limits.ttft_s or batch > max(critical_batch(replica.chip, shape), 1):
        return None
    return Plan(replica, busy_copies(load, shape, replica, batch), batch, step)


def busy_copies(load: Load, shape: Shape, replica: Replica, batch: float) -> float:
    """Copies that the load keeps busy at a batch: seconds of prompts and of decoding that a second brings."""
    step = float(replica.step_s(shape, batch, load.context_tokens))
    return load.input_per_s * float(replica.prefill_s(shape, 1.0)) + load.output_per_s * step / batch
