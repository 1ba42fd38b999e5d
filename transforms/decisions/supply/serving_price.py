"""What serving another size would cost, relative to what is measured.

The price of a token goes with the time of a step: with the weights where memory is the limit and the batch small, with
the active parameters where compute is, and with the context cache at long contexts. Without a known chip and batch it
goes with the active parameters alone, as in 2·N·T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms.compute import CHIPS
from transforms.decisions.law.architectures import nearest
from transforms.decisions.supply.roofline import Replica, Shape, least_gpus
from transforms.periods import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping


def shape_of(active_params: float, params: float | None = None) -> Shape:
    """The served shape of a size; its context cache is that of the nearest buildable dense one."""
    return Shape(params or active_params, active_params, nearest(active_params).kv_bytes)


def size_price_ratio(position: Mapping[str, Any], params: float) -> float:
    """Price of a token of a dense model of `params`, relative to the model's own."""
    own = shape_of(position["active_params"], position["params"])
    chip = CHIPS.get(position["gpu_model"] or "")
    if chip is None or not position["concurrency"]:
        return params / own.active_params
    replica, batch, context = Replica(chip, 1), _copy_batch(position), position["context_tokens"]
    return float(replica.step_s(shape_of(params), batch, context) / replica.step_s(own, batch, context))


def step_seconds(traffic: Mapping[str, Any], host: Mapping[str, Any]) -> float:
    """GPU-seconds of a step of the traffic of one model, in its own batch, on the chip and the size of another."""
    shape, batch = shape_of(host["active_params"], host["params"]), _copy_batch(traffic)
    return float(Replica(CHIPS[host["gpu_model"]], 1).step_s(shape, batch, traffic["context_tokens"]))


def _copy_batch(position: Mapping[str, Any]) -> float:
    """Requests in flight on each of the copies that fit on the model's GPUs."""
    shape = shape_of(position["active_params"], position["params"])
    copies = max(position["gpu_count"] / (least_gpus(position["gpu_model"], shape) or 1), 1)
    return float(position["concurrency"] / copies)


def least_serving_usd(position: Mapping[str, Any], params: float) -> float:
    """Cost a month of the fewest GPUs that hold a model of `params`; nothing where no price of them is known."""
    price = position["usd_per_gpu_hour"]
    gpus = least_gpus(position["gpu_model"] or "", shape_of(params)) or 1
    return gpus * price * HOURS_PER_MONTH if price else 0.0
