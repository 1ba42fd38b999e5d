"""The numbers of page 3."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "bridge")
BRIDGE = "economics.variance_bridge"


def bridge_numbers(night: Night) -> Iterator[Number]:
    """The change with the part of each driver, and the running quarter."""
    if night.tables["variance_bridge"].filter(pl.col("month") == night.month).height:
        yield from _change(night)
    yield from _outlook(night)


def _change(night: Night) -> Iterator[Number]:
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


def _outlook(night: Night) -> Iterator[Number]:
    """The running quarter."""
    if night.tables["quarters"].is_empty():
        return
    quarter = f"quarter = {literal(night.tables['quarters']['quarter'].min())}"  # type: ignore[arg-type]
    for p in (10, 50, 90):
        yield _number(f"quarter_p{p}", f"The running quarter, P{p}", night.currency, "reports.quarters",
                     f"sum(expected_usd_p{p})", f"expected_usd_p{p}", quarter)  # fmt: skip
    yield _number("quarter_plan", "Plan of the running quarter", night.currency, "reports.quarters", "sum(plan_usd)",
                 "plan_usd", quarter)  # fmt: skip
    yield _number("quarter_within", "Chance of staying within plan", "ratio", "reports.quarters",
                  "sum(within_plan_ratio)", "within_plan_ratio", quarter)  # fmt: skip
