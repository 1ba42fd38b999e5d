"""The numbers of page 5."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "waste")
WASTE = "economics.waste"


def waste_numbers(night: Night) -> Iterator[Number]:
    """What bought nothing: all of it, its training part and its idle part."""
    month = night.this_month
    unused = "cause IN ('idle', 'commitment_unused')"
    yield _number("wasted", "Cost that bought nothing", night.currency, WASTE, "sum(wasted_usd)", "wasted_usd", month)
    yield _number("wasted_training", "Training that bought nothing", night.currency, WASTE, "sum(wasted_usd)",
                  "wasted_usd", f"{month} AND NOT {unused}")  # fmt: skip
    yield _number("wasted_idle", "Idle GPUs and unused commitments", night.currency, WASTE, "sum(wasted_usd)",
                  "wasted_usd", f"{month} AND {unused}")  # fmt: skip
    yield _number("goodput", "Share of training GPU time that bought progress", "ratio", "economics.goodput",
                  "sum(goodput_ratio)", "goodput_ratio", month)  # fmt: skip
