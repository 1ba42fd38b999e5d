"""The numbers of page 5."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number
from transforms.reports.metrics.report_facts import Night

UNITS = "economics.unit_costs"
PARTS = (
    ("used", "Serving alone"),
    ("allocated", "Serving with idle and shared"),
    ("fully_loaded", "Serving with training amortised"),
)
_number = partial(Number, "unit_costs")
WASTE = "economics.waste"


def unit_cost_numbers(night: Night) -> Iterator[Number]:
    """What a million tokens costs, and what was wasted or idle."""
    yield from _units(night)
    yield from _waste(night)


def _units(night: Night) -> Iterator[Number]:
    """A million tokens over all models: used, allocated, fully loaded."""
    served = "CAST(sum(input_tokens + output_tokens) AS DOUBLE)"
    for name, title in PARTS:
        rate = f"{name}_usd_per_mtok"
        cost = f"sum(CAST({rate} AS DOUBLE) * (input_tokens + output_tokens))"
        yield Number("unit_costs", f"mtok_{name}", f"{title}, per million tokens",
                     f"{night.currency} per million tokens", UNITS, f"{cost} / {served}",
                     f"{rate}, input_tokens, output_tokens", f"{night.this_month} AND {rate} IS NOT NULL")  # fmt: skip


def _waste(night: Night) -> Iterator[Number]:
    """What was wasted or idle: all of it, its training part and its idle part."""
    month = night.this_month
    unused = "cause IN ('idle', 'commitment_unused')"
    yield _number("wasted", "Cost that was wasted or idle", night.currency, WASTE, "sum(wasted_usd)", "wasted_usd",
                  month)  # fmt: skip
    yield _number("wasted_training", "Cost of runs that were lost", night.currency, WASTE, "sum(wasted_usd)",
                  "wasted_usd", f"{month} AND NOT {unused}")  # fmt: skip
    yield _number("wasted_idle", "Idle GPUs and unused commitments", night.currency, WASTE, "sum(wasted_usd)",
                  "wasted_usd", f"{month} AND {unused}")  # fmt: skip
    yield _number("goodput", "Share of training GPU time that made progress", "ratio", "economics.goodput",
                  "sum(goodput_ratio)", "goodput_ratio", month)  # fmt: skip
