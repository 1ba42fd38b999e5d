"""What no rule reached, by name: the rows that attribution.csv is still missing."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.reports import Unmatched

LARGEST = 10


def unmatched(
    charges: pl.DataFrame, charge_rules: pl.DataFrame, training_runs: pl.DataFrame, token_usage: pl.DataFrame
) -> pl.DataFrame:
    """The ten largest names of each source that no rule reached, and their share of what the source holds."""
    found = pl.concat([_cost(charges, charge_rules), _gpu_time(training_runs), _tokens(token_usage)])
    per_name = found.group_by("source", "quantity", "name").agg(
        pl.col("amount").sort().sum(), pl.col("is_matched").all(), pl.len().alias("rows")
    )
    total = pl.col("amount").sort().sum().over("source", "quantity")
    shared = per_name.with_columns(pl.when(total != 0).then(pl.col("amount") / total).alias("share_ratio"))
    missing = shared.filter(~pl.col("is_matched")).sort(
        "source", "quantity", "amount", "name", descending=[False, False, True, False]
    )
    return Unmatched.frame(missing.group_by("source", "quantity", maintain_order=True).head(LARGEST))


def _cost(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    ruled = charges.join(charge_rules.select("charge_id", "account"), on="charge_id", how="left")
    name = pl.coalesce("resource_name", "resource_id", "sku_id", "service_name", "charge_description", pl.lit("?"))
    no_rule = pl.col("account").is_in(["unallocated", "adjustment"]).fill_null(value=False)
    return _named(ruled, "cost", name, pl.col("effective_cost").cast(pl.Float64), ~no_rule)


def _gpu_time(training_runs: pl.DataFrame) -> pl.DataFrame:
    name = pl.coalesce("run_name", "project", "run_id")
    return _named(training_runs, "gpu_seconds", name, pl.col("gpu_seconds"), pl.col("model_id").is_not_null())


def _tokens(token_usage: pl.DataFrame) -> pl.DataFrame:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    return _named(token_usage, "tokens", pl.coalesce("model", pl.lit("?")), tokens, pl.col("model_id").is_not_null())


def _named(rows: pl.DataFrame, quantity: str, name: pl.Expr, amount: pl.Expr, is_matched: pl.Expr) -> pl.DataFrame:
    return rows.select(
        pl.col("source"),
        pl.lit(quantity).alias("quantity"),
        pl.when(is_matched).then(pl.lit("(matched)")).otherwise(name).alias("name"),
        amount.fill_null(0.0).alias("amount"),
        is_matched.alias("is_matched"),
    )
