"""What limits each deployment, and where the money of its GPUs goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.compute import CHIPS
from transforms.decisions.dollars import rows_in_cents
from transforms.decisions.supply.roofline import MEMORY_BYTES, critical_batch
from transforms.decisions.supply.serving_losses import serving_losses
from transforms.decisions.supply.serving_plan import Limits, Plan, busy_load, cheapest, limits_of
from transforms.decisions.supply.serving_price import shape_of
from transforms.periods import HOURS_PER_MONTH
from warehouse.schemas.decisions import ServingRegimes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.decisions.supply.roofline import Shape


def serving_regimes(settings: pl.DataFrame, serving_states: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """One model on one deployment whose size and chip are known: its regime, its batch, and where its GPU money goes.

    The four parts add up to all of it. The premium of a latency limit is what the fewest GPUs that keep it cost beyond
    the fewest without it: a fast tier is a choice, and this is its price.
    """
    sizes = {row["model_id"]: row for row in positions.to_dicts()}
    rows = [
        {"as_of": settings.item(0, "as_of"), **_regime(state, sizes[state["model_id"]])}
        for state in serving_states.sort("deployment_id", "model_id").to_dicts()
        if _is_known(state, sizes.get(state["model_id"]))
    ]
    return ServingRegimes.frame(rows_in_cents(ServingRegimes, rows))


def _is_known(state: Mapping[str, Any], position: Mapping[str, Any] | None) -> bool:
    has_tokens = state["output_tokens_per_s"] > 0
    has_chip = (
        has_tokens and state["gpu_model"] in CHIPS and state["gpu_model"] in MEMORY_BYTES and state["gpu_count"] > 0
    )
    return has_chip and position is not None and bool(position["active_params"])


def _regime(state: Mapping[str, Any], position: Mapping[str, Any]) -> dict[str, Any]:
    shape = shape_of(position["active_params"], position["params"])
    chip, price = CHIPS[state["gpu_model"]], position["usd_per_gpu_hour"]
    month = price * HOURS_PER_MONTH if price else None
    free = cheapest(busy_load(state), shape, Limits())
    row: dict[str, Any] = {
        "deployment_id": state["deployment_id"],
        "model_id": state["model_id"],
        "gpu_model": state["gpu_model"],
        "gpu_count": state["gpu_count"],
        "critical_batch": critical_batch(chip, shape),
        "ridge_flop_per_byte": chip.ridge_flop_per_byte,
        "gpu_month_usd": state["gpu_count"] * month if month else None,
        **_premium(state, shape, free, month),
    }
    if free is None:
        return row
    losses = serving_losses(state, shape, free, month or 0.0)
    row |= {name: losses.get(name) for name in ("batch_measured", "limited_by")}
    if not month:
        return row
    parts = ("useful", "lost_to_small_batches", "lost_between_peaks", "lost_to_copies_beyond_the_peaks")
    names = ("useful_usd", "small_batches_usd", "between_peaks_usd", "excess_copies_usd")
    return row | {name: losses[f"{part}_usd_a_month"] for name, part in zip(names, parts, strict=True)}


def _premium(state: Mapping[str, Any], shape: Shape, free: Plan | None, month: float | None) -> dict[str, Any]:
    limits = limits_of(state)
    has_limit = limits != Limits()
    kept = cheapest(busy_load(state), shape, limits) if has_limit else None
    if kept is None or free is None or not month:
        return {"has_latency_limit": has_limit}
    return {"has_latency_limit": True, "latency_premium_usd": (kept.gpus(1) - free.gpus(1)) * month}
