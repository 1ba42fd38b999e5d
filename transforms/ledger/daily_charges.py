"""Charges added up by day and by all that the tables after the ledger ask of them, so that none reads every charge."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import amount, units
from warehouse.schemas.ledger import BilledDays

KEY: Final = (
    "charge_day", "source", "billing_period_start", "invoice_id", "currency", "file_sha256", "charge_category",
    "charge_class", "commitment_discount_id", "commitment_discount_status", "pool_id", "deployment_id", "model_id",
    "phase", "is_pooled", "gpu_model", "has_gpu_time", "is_listed", "unmatched_name", "scope_rule",
)  # fmt: skip
SUMS: Final = ("billed_cost", "effective_cost", "list_cost")
NAMES: Final = ("resource_name", "resource_id", "sku_id", "service_name", "charge_description")


def billed_days(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    """One day's charges of one file that are alike."""
    rules = charge_rules.select(
        "charge_id", "method", "account", "rule", "pool_id", "deployment_id", "model_id", "phase"
    )  # fmt: skip
    ruled = charges.join(rules, on="charge_id")
    sums = ruled.with_columns(
        (pl.col("method") == "pool").alias("is_pooled"),
        (pl.col("gpu_hours") > 0).alias("has_gpu_time"),
        pl.col("list_cost").is_not_null().alias("is_listed"),
        _unmatched_name(),
        pl.when(pl.col("account") == "out_of_scope").then("rule").alias("scope_rule"),
        _unit_gpus(),
    )
    rows = sums.group_by(KEY).agg(
        pl.len().cast(pl.Int64).alias("charges"),
        *(units(cost).sum() for cost in SUMS),
        units("gpu_hours_exact").sum().alias("gpu_hours"),
        pl.col("charge_start").min().alias("first_start"),
        pl.col("charge_end").max().alias("last_end"),
        pl.col("unit_gpus").max().alias("node_gpus"),
        pl.max_horizontal(pl.col(cost).abs().max().cast(pl.Float64) for cost in SUMS[:2]).alias("largest_cost"),
    )
    listed = pl.when("is_listed").then(amount("list_cost")).alias("list_cost")
    exact = [amount(name) for name in (*SUMS[:2], "gpu_hours")]
    return BilledDays.frame(rows.with_columns(listed, *exact)).sort(KEY, nulls_last=True)


def _unmatched_name() -> pl.Expr:
    """The first name that a charge without a place has."""
    has_no_place = pl.col("account").is_in(["unallocated", "adjustment"])
    return pl.when(has_no_place).then(pl.coalesce(*NAMES, pl.lit("?"))).alias("unmatched_name")


def _unit_gpus() -> pl.Expr:
    """The GPUs that one consumed unit stands for."""
    hours = pl.col("consumed_quantity").cast(pl.Float64)
    gpus = (pl.col("gpu_hours") / hours).round().cast(pl.Int64)
    return pl.when((hours > 0) & (pl.col("gpu_hours") > 0)).then(gpus).alias("unit_gpus")
