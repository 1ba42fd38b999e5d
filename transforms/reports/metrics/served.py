"""The numbers of the page of teams, tenants and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

DIMENSIONS = ("team", "tenant", "task")
GROUPS = "reports.served_groups"
_number = partial(Number, "served")


def served_numbers(night: Night) -> Iterator[Number]:
    """All of serving, its part without a name, and the largest name, by the first dimension that requests name."""
    rows = night.tables["served_groups"]
    named_by = set(rows["dimension"])
    for dimension in [one for one in DIMENSIONS if one in named_by][:1]:
        ours = f"dimension = {literal(dimension)}"
        yield _number("served_all", "Direct cost of serving", night.currency, GROUPS, "sum(used_usd)", "used_usd", ours)
        yield _number("served_unnamed", f"Serving without a {dimension}", night.currency, GROUPS, "sum(used_usd)",
                      "used_usd", f"{ours} AND name IS NULL")  # fmt: skip
        named = rows.filter(dimension=dimension).drop_nulls("name").sort("used_usd", "name", descending=[True, False])
        for name in named["name"].head(1):
            yield _number("served_largest", f"Serving of {name}", night.currency, GROUPS, "sum(used_usd)", "used_usd",
                          f"{ours} AND name = {literal(name)}")  # fmt: skip
