"""Where the GPUs of a deployment go: useful work, batches that are too small, hours between peaks, copies too many.

At the planned batch a token costs the fewest GPU-seconds; at the measured one it costs more, because the weights are
read for fewer requests. What is left is idle: up to what the busy hours need it waits for them, beyond it is too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms.compute import CHIPS
from transforms.decisions.supply.roofline import Replica, critical_batch
from transforms.decisions.supply.serving_plan import busy_copies, mean_load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.supply.roofline import Shape
    from transforms.decisions.supply.serving_plan import Plan


def serving_losses(state: Mapping[str, Any], shape: Shape, planned: Plan, usd_a_month: float) -> dict[str, Any]:
    """What a month of the deployment's GPUs pays for, at so much a GPU; the four parts add up to all of it."""
    held, load, copy = state["gpu_count"], mean_load(state), planned.copy
    useful = min(planned.gpus_each * busy_copies(load, shape, copy, planned.batch), held)
    regime = {"critical_batch": critical_batch(CHIPS[state["gpu_model"]], shape)} | _regime(state, shape, copy)
    batch = regime.get("batch_measured")
    busy = useful if batch is None else planned.gpus_each * busy_copies(load, shape, copy, max(batch, 1.0))
    small = min(max(busy - useful, 0.0), held - useful)
    beyond = max(held - max(planned.gpus(1), useful + small), 0.0)
    parts = {
        "useful": useful,
        "lost_to_small_batches": small,
        "lost_between_peaks": held - useful - small - beyond,
        "lost_to_copies_beyond_the_peaks": beyond,
    }
    return regime | {f"{name}_usd_a_month": gpus * usd_a_month for name, gpus in parts.items()}


def _regime(state: Mapping[str, Any], shape: Shape, copy: Replica) -> dict[str, Any]:
    """The batch of each copy as measured, and what limits a step at it; nothing where no durations are sent."""
    if not state["concurrency"]:
        return {}
    batch = state["concurrency"] / max(state["gpu_count"] / copy.gpus, 1.0)
    is_compute = copy.is_compute_bound(shape, max(batch, 1.0), state["context_tokens"])
    return {"batch_measured": batch, "limited_by": "compute" if is_compute else "memory"}
