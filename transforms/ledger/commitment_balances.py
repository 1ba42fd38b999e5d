"""Reservations and savings plans: used + unused = purchase, shown and not enforced."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from transforms.money import amount, units
from warehouse.schemas.ledger import Commitments

KEY: Final = ("source", "commitment_discount_id", "currency")
COSTS: Final = ("purchased_cost", "used_cost", "unused_cost")
ROUNDING: Final = 10**10
"""What the rows of a commitment may differ from its purchase by: a hundredth, because providers round each row."""


def commitments(billed_days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One reservation or savings plan with what was bought, used, unused and what remains."""
    named = billed_days.filter(pl.col("commitment_discount_id").is_not_null())
    status = pl.col("commitment_discount_status")
    is_purchase, is_unused = pl.col("charge_category") == "Purchase", status.eq_missing(pl.lit("Unused"))
    bought, consumed = named.filter(is_purchase & ~is_unused), units("effective_cost")
    last = (pl.col("last_end") - timedelta(microseconds=1)).dt.date()
    sums = named.group_by(KEY).agg(
        pl.col("first_start").min().dt.date().alias("first_day"),
        last.max().alias("last_day"),
        units("billed_cost").filter(is_purchase & ~is_unused).sum().alias("purchased_cost"),
        consumed.filter(~is_purchase & ~is_unused).sum().alias("used_cost"),
        consumed.filter(is_unused).sum().alias("unused_cost"),
    )
    terms = bought.group_by(KEY).agg(
        pl.col("first_start").min().dt.date().alias("first_bought"), last.max().alias("last_bought")
    )
    return Commitments.frame(_judged(sums.join(terms, on=KEY, how="left"), settings)).sort(KEY)


def _judged(sums: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    remaining = pl.col("purchased_cost") - pl.col("used_cost") - pl.col("unused_cost")
    is_over, is_bought = pl.col("last_day") <= settings["as_of"].item(), pl.col("last_bought").is_not_null()
    is_even, is_left = pl.col("remaining_cost").abs() <= ROUNDING, pl.col("remaining_cost") > 0
    verdict = (
        pl.when(~is_bought)
        .then(pl.lit("its purchase is in no bill that is known"))
        .when(is_even)
        .then(pl.lit("used and unused add up to the purchase"))
        .when(is_left & ~pl.col("is_over"))
        .then(pl.lit("its term is not over"))
        .when(is_left)
        .then(pl.lit("its term is over and a part of the purchase was never consumed"))
        .otherwise(pl.lit("more was consumed than bought"))
    )
    return (
        sums.with_columns(
            pl.coalesce("first_bought", "first_day").alias("first_day"),
            pl.coalesce("last_bought", "last_day").alias("last_day"),
            remaining.alias("remaining_cost"),
        )
        .with_columns(is_over.alias("is_over"), (is_bought & (is_even | (is_left & ~is_over))).alias("is_balanced"))
        .with_columns(verdict.alias("explanation"))
        .with_columns(amount(name) for name in (*COSTS, "remaining_cost"))
    )
