"""The rule that each charge follows, and the account it gives."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.attribution import first_rules, keyed_fields, policy_day, rule_field
from warehouse.schemas.ledger import ChargeRules
from warehouse.schemas.names import ACCRUAL, CHARGE_FIELDS

REASON_LENGTH: Final = 200
DOCUMENTS: Final = {"tag:": "tags", "sku_detail:": "sku_price_details"}
"""Kinds of fields that are members of a JSON object, and the column that holds it."""


def charge_rules(charges: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """One charge with the first open rule that matches it; accrued charges follow the rate card's pool."""
    billed = charges.filter(pl.col("source") != ACCRUAL)
    accrued = charges.filter(pl.col("source") == ACCRUAL)
    ruled = pl.concat([_ruled(billed, attribution), _accrued(accrued)], how="diagonal")
    return ChargeRules.frame(ruled.with_columns(_account()).with_columns(_targets())).sort("charge_id")


def _ruled(charges: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """The charges with their rule; equal charges of one stretch of policy are looked up once."""
    names = attribution.select(rule_field(pl.col("field")).alias("field"))["field"].unique()
    plain = [name for name in CHARGE_FIELDS if name in names]
    documents = [column for kind, column in DOCUMENTS.items() if names.str.starts_with(kind).any()]
    keys = ["source", "policy_day", *plain, *documents]
    keyed = charges.with_columns(policy_day(charges["charge_start"].dt.date(), attribution).alias("policy_day"))
    subjects = keyed.select(keys).unique().with_row_index("subject")
    first = first_rules(_fields(subjects, plain, documents, names), attribution)
    matched = subjects.join(first, on="subject", how="left").drop("subject")
    return keyed.join(matched, on=keys, how="left", nulls_equal=True).with_columns(_rule())


def _fields(subjects: pl.DataFrame, plain: list[str], documents: list[str], names: pl.Series) -> pl.DataFrame:
    keys = [pl.col("subject"), pl.col("source"), pl.col("policy_day").alias("day")]
    parts = [subjects.select(*keys, pl.lit(name).alias("field"), pl.col(name).alias("value")) for name in plain]
    parts += [_member_fields(subjects, keys, kind, names) for kind, column in DOCUMENTS.items() if column in documents]
    empty = subjects.head(0).select(*keys, pl.lit("").alias("field"), pl.lit("").alias("value"))
    return pl.concat([empty, *parts])


def _member_fields(subjects: pl.DataFrame, keys: list[pl.Expr], kind: str, names: pl.Series) -> pl.DataFrame:
    """One row per tag, or detail of the price, that a rule names."""
    column = DOCUMENTS[kind]
    members = keyed_fields(subjects[column], kind, names)
    return subjects.join(members, left_on=column, right_on="document").select(*keys, "field", "value")


def _rule() -> pl.Expr:
    """What led here: the line of the rule, or which fields no rule matched."""
    reason = pl.concat_str(
        pl.lit("no rule matches: service_name="),
        pl.col("service_name").fill_null(""),
        pl.lit(", resource_id="),
        pl.col("resource_id").fill_null(""),
        pl.lit(", charge_description="),
        pl.col("charge_description").fill_null(""),
    ).str.slice(0, REASON_LENGTH)
    return (
        pl.when(pl.col("line").is_not_null())
        .then(pl.format("attribution.csv line {}", "line"))
        .otherwise(reason)
        .alias("rule")
    )


def _accrued(charges: pl.DataFrame) -> pl.DataFrame:
    return charges.with_columns(
        pl.lit("pool").alias("target"),
        pl.col("resource_id").alias("target_id"),
        pl.lit("rates.csv").alias("rule"),
    )


def _account() -> pl.Expr:
    """The account of a charge that stays whole; null where it is split. The order of the cases decides."""
    unused = pl.col("commitment_discount_status").eq_missing(pl.lit("Unused")) | pl.col(
        "capacity_reservation_status"
    ).eq_missing(pl.lit("Unused"))
    target = pl.col("target")
    adjusts = (
        pl.col("charge_category").is_in(["Tax", "Credit", "Adjustment"])
        | pl.col("charge_class").eq_missing(pl.lit("Correction"))
        | (pl.col("billed_cost") < 0)
    )
    return (
        pl.when(target == "out_of_scope")
        .then(pl.lit("out_of_scope"))
        .when(unused)
        .then(pl.lit("commitment_unused"))
        .when(target == "shared")
        .then(pl.lit("shared"))
        .when(target == "model")
        .then(pl.lit("direct"))
        .when(target.is_in(["deployment", "pool"]))
        .then(pl.lit(None, dtype=pl.String))
        .when(adjusts)
        .then(pl.lit("adjustment"))
        .otherwise(pl.lit("unallocated"))
        .alias("account")
    )


def _targets() -> list[pl.Expr]:
    """The target's id in the column of its kind; a phase only beside a model."""
    target = pl.col("target")
    method = pl.when(pl.col("account").is_not_null()).then(pl.lit("whole")).otherwise(target)
    is_direct = pl.col("account").eq_missing(pl.lit("direct"))
    return [
        method.alias("method"),
        pl.when(target == "pool").then("target_id").alias("pool_id"),
        pl.when(target == "deployment").then("target_id").alias("deployment_id"),
        pl.when(is_direct).then("target_id").alias("model_id"),
        pl.when(is_direct).then("phase").alias("phase"),
    ]
