"""What the ledger must fulfil before a night is published; each function returns the rows that break it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from transforms.money import amount, units
from transforms.periods import is_open

COSTS: Final = ("billed_cost", "effective_cost")
INVOICE: Final = ("source", "billing_period_start", "invoice_id", "currency")
ACCRUAL: Final = "accrual"


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


def pools_accrued_and_billed(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    """One pool and day that the rate card accrues although usage of its GPUs is billed: the cost would count twice."""
    pooled = charge_rules.filter(pl.col("method") == "pool").select("charge_id", "pool_id")
    spans = (
        charges.join(pooled, on="charge_id")
        .select("source", "pool_id", "charge_start", "charge_end", pl.col("gpu_hours") > 0)
        .unique()
    )
    accrued = spans.filter(pl.col("source") == ACCRUAL).select(
        "pool_id", day=pl.col("charge_start").dt.date(), valid_from="charge_start", valid_to="charge_end"
    )
    billed = spans.filter((pl.col("source") != ACCRUAL) & pl.col("gpu_hours"))
    both = billed.join(accrued, on="pool_id").filter(is_open(pl.col("charge_start")) | _covers_start())
    return both.group_by("pool_id", "day").agg(pl.col("source").unique().sort()).sort("pool_id", "day")


def _covers_start() -> pl.Expr:
    return (pl.col("charge_start") < pl.col("valid_from")) & (pl.col("charge_end") > pl.col("valid_from"))


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
