"""What the ledger holds and the pages do not count: charges that a rule puts out of scope."""

from __future__ import annotations

import polars as pl

from transforms.money import amount, units
from warehouse.schemas.reports import Scope

COSTS = ("billed_cost", "effective_cost")


def scope(billed_days: pl.DataFrame, booked_days: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """The cost in scope of each currency as it is posted, and what each rule takes out as it is billed."""
    sums = [units(name).sum() for name in COSTS]
    inside = booked_days.filter(pl.col("account") != "out_of_scope").group_by("currency").agg(sums)
    outside = billed_days.filter(pl.col("scope_rule").is_not_null()).group_by("currency", rule="scope_rule").agg(sums)
    # a currency of which nothing is in scope has its row as well
    bare = outside.select("currency").unique().join(inside, on="currency", how="anti")
    rules = attribution.select(pl.format("attribution.csv line {}", "line").alias("rule"), "field", "pattern")
    rows = pl.concat([inside, bare, outside], how="diagonal").with_columns(pl.col(COSTS).fill_null(0))
    named = rows.join(rules, on="rule", how="left").with_columns(amount(name) for name in COSTS)
    return Scope.frame(named.sort("currency", "rule", nulls_last=False))
