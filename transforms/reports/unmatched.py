"""What no rule reached, by name: the rows that attribution.csv is still missing."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.reports import Unmatched

LARGEST = 10


def unmatched(billed_days: pl.DataFrame, training_runs: pl.DataFrame, token_usage: pl.DataFrame) -> pl.DataFrame:
    """The ten largest names of each source that no rule reached, and their share of what the source holds."""
    named_amounts = pl.concat([_cost(billed_days), _gpu_time(training_runs), _tokens(token_usage)])
    per_name = named_amounts.group_by("source", "quantity", "name").agg(
        pl.col("amount").sort().sum(), pl.col("is_matched").all(), pl.col("rows").sum()
    )
    total = pl.col("amount").sort().sum().over("source", "quantity")
    shared = per_name.with_columns(pl.when(total != 0).then(pl.col("amount") / total).alias("share_ratio"))
    missing = shared.filter(~pl.col("is_matched")).sort(
        "source", "quantity", "amount", "name", descending=[False, False, True, False]
    )
    return Unmatched.frame(missing.group_by("source", "quantity", maintain_order=True).head(LARGEST))


def _cost(billed_days: pl.DataFrame) -> pl.DataFrame:
    cost, is_matched = pl.col("effective_cost").cast(pl.Float64), pl.col("unmatched_name").is_null()
    return _named(billed_days, "cost", pl.col("unmatched_name"), cost, is_matched, pl.col("charges"))


def _gpu_time(training_runs: pl.DataFrame) -> pl.DataFrame:
    name = pl.coalesce("run_name", "project", "run_id")
    return _named(training_runs, "gpu_seconds", name, pl.col("gpu_seconds"), pl.col("model_id").is_not_null())


def _tokens(token_usage: pl.DataFrame) -> pl.DataFrame:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    return _named(token_usage, "tokens", pl.coalesce("model", pl.lit("?")), tokens, pl.col("model_id").is_not_null())


def _named(
    records: pl.DataFrame,
    quantity: str,
    name: pl.Expr,
    amount: pl.Expr,
    is_matched: pl.Expr,
    rows: pl.Expr | None = None,
) -> pl.DataFrame:
    return records.select(
        pl.col("source"),
        pl.lit(quantity).alias("quantity"),
        pl.when(is_matched).then(pl.lit("(matched)")).otherwise(name).alias("name"),
        amount.fill_null(0.0).alias("amount"),
        is_matched.alias("is_matched"),
        (pl.lit(1, dtype=pl.Int64) if rows is None else rows).alias("rows"),
    )
