"""The numbers of page 2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "bridge")
BRIDGE = "economics.variance_bridge"


def bridge_numbers(night: Night) -> Iterator[Number]:
    """The change, and the part of each driver."""
    yield _number("bridge_change", "Change explained", night.currency, BRIDGE, "sum(change_usd)", "change_usd",
                  night.this_month)  # fmt: skip
    if night.has_plan:
        yield _number("plan_variance", "Cost less plan", night.currency, "reports.month_figures",
                      "sum(effective_usd - plan_usd)", "effective_usd, plan_usd", night.this_month)  # fmt: skip
    rows = night.tables["variance_bridge"].filter(pl.col("month") == night.month)
    for driver in sorted(set(rows["driver"])):
        words = driver.replace("_", "-")
        yield _number(f"bridge_{driver}", f"Change by {words}", night.currency, BRIDGE, "sum(change_usd)", "change_usd",
                      f"{night.this_month} AND driver = {literal(driver)}")  # fmt: skip
