"""What the ledger must fulfil before a night is published; each function returns the rows that break it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

import polars as pl

from transforms.money import amount, units

COSTS: Final = ("billed_cost", "effective_cost")
INVOICE: Final = ("source", "billing_period_start", "invoice_id", "currency")
LARGEST_TOTAL: Final = 10.0**25
"""Totals are kept a factor of ten below what 128 bits hold, because a sum that overflows wraps silently."""


def unbalanced_charges(charges: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """One charge whose postings do not add up to it in both costs; also a charge without postings."""
    return _unbalanced(charges, postings, ["charge_id"])


def unbalanced_invoices(charges: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """One source, billing period, invoice and currency whose postings do not add up to its charges."""
    return _unbalanced(charges, postings, INVOICE)


def unbalanced_sources(charges: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """One source and currency whose postings do not add up to its charges."""
    return _unbalanced(charges, postings, ["source", "currency"])


def postings_without_a_charge(charges: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """One posting of a charge that is not known."""
    return postings.join(charges.select("charge_id"), on="charge_id", how="anti")


def days_off_the_bill(
    delivered_days: pl.DataFrame,
    accruals: pl.DataFrame,
    billed_days: pl.DataFrame,
    booked_days: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One source and currency whose delivered rows, charges and postings do not add up to one another over all days."""
    current = delivered_days.filter("is_current", pl.col("charge_day") <= settings["as_of"].item())
    bill = pl.concat([rows.select("source", "currency", "billed_cost") for rows in (current, accruals)])
    sides = {"bill": bill, "charges": billed_days, "ledger": booked_days}
    sums = [
        rows.group_by("source", "currency").agg(units("billed_cost").sum().alias(side)) for side, rows in sides.items()
    ]
    all_sides = reduce(lambda left, right: left.join(right, on=["source", "currency"], how="full", coalesce=True), sums)
    differs = pl.any_horizontal(pl.col("ledger").ne_missing(pl.col(side)) for side in ("bill", "charges"))
    return all_sides.filter(differs).with_columns(amount(side) for side in sides).sort("source", "currency")


def charges_without_one_rule(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    """One charge that follows no rule, or more than one."""
    rules = charge_rules.group_by("charge_id").len("rules")
    counted = charges.select("charge_id", "source").join(rules, on="charge_id", how="left")
    return counted.filter(pl.col("rules").fill_null(0) != 1)


def misplaced_postings(postings: pl.DataFrame) -> pl.DataFrame:
    """One posting whose account and dimensions contradict each other."""
    has_model, has_pool = pl.col("model_id").is_not_null(), pl.col("pool_id").is_not_null()
    is_used = pl.col("run_id").is_not_null() | pl.col("deployment_id").is_not_null()
    account = pl.col("account")
    wrong = (
        (has_model != (account == "direct"))
        | (has_model != pl.col("phase").is_not_null())
        | ((account == "idle") & (~has_pool | is_used))
        | (account.is_in(["shared", "adjustment", "out_of_scope"]) & (has_pool | is_used))
        | (pl.col("is_waste") & pl.col("run_id").is_null())
    )
    return postings.filter(wrong)


def pools_accrued_and_billed(billed_hours: pl.DataFrame) -> pl.DataFrame:
    """One pool and day that is accrued although usage of its GPUs is billed: the cost would count twice."""
    pooled = billed_hours.filter(pl.col("method") == "pool", pl.col("gpu_time") > 0)
    both = pooled.group_by("hour", pool_id="target_id").agg(pl.col("is_accrued").n_unique().alias("kinds"))
    days = both.filter(pl.col("kinds") > 1).select("pool_id", day=pl.col("hour").dt.date())
    return days.unique().sort("pool_id", "day")


def totals_too_large(billed_days: pl.DataFrame) -> pl.DataFrame:
    """One source and currency whose absolute costs could add up to more than a total can hold."""
    bound = pl.col("largest_cost") * pl.col("charges")
    sizes = billed_days.group_by("source", "currency").agg(bound.sum().alias("largest_total"))
    return sizes.filter(pl.col("largest_total") > LARGEST_TOTAL)


def _unbalanced(charges: pl.DataFrame, postings: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The groups of charges and postings whose exact sums differ, with both sums; an absent side counts as nothing."""
    sums = [
        rows.group_by(keys).agg(units(cost).sum().alias(f"{side}_{cost}") for cost in COSTS)
        for side, rows in (("bill", charges), ("ledger", postings))
    ]
    both = sums[0].join(sums[1], on=list(keys), how="full", coalesce=True, nulls_equal=True)
    named = [f"{side}_{cost}" for side in ("bill", "ledger") for cost in COSTS]
    differs = pl.any_horizontal(pl.col(f"bill_{cost}").ne_missing(pl.col(f"ledger_{cost}")) for cost in COSTS)
    return both.filter(differs).with_columns(amount(name) for name in named).sort(keys)
