"""Who was served: the month's serving cost and tokens by team, by tenant and by task, as far as requests name them."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.reports import ServedGroups

DIMENSIONS: Final = ("team", "tenant", "task")


def served_groups(subject: pl.DataFrame, monthly_spend: pl.DataFrame, token_usage: pl.DataFrame) -> pl.DataFrame:
    """One name of one dimension, the largest cost first; a row without a name holds what carries none.

    The rows of a dimension add up to the direct inference of the month. A dimension that nobody labels has no row.
    """
    row = subject.row(0, named=True)
    served = monthly_spend.filter(
        pl.col("month") == row["month"], pl.col("account") == "direct", pl.col("phase") == "inference"
    )
    day = pl.col("hour").dt.date()
    used = token_usage.filter(day >= row["month"], day < row["period_end"], pl.col("model_id").is_not_null())
    parts = [
        part for dimension in DIMENSIONS if (part := _by(dimension, served, used)).get_column("name").drop_nulls().len()
    ]
    if not parts:
        return ServedGroups.empty()
    earlier = monthly_spend.filter(
        pl.col("month") == pl.lit(row["previous_month"], pl.Date), pl.col("account") == "direct",
        pl.col("phase") == "inference",
    )  # fmt: skip
    before = pl.concat([_cost(dimension, earlier, "previous_usd") for dimension in DIMENSIONS])
    zero = pl.lit(0).cast(pl.Decimal(38, 12))
    previous = pl.lit(None) if row["previous_month"] is None else pl.col("previous_usd").fill_null(zero)
    joined = pl.concat(parts).join(before, on=["dimension", "name"], how="left", nulls_equal=True)
    rows = joined.with_columns(
        previous_usd=previous,
        usd_per_mtok=pl.when((pl.col("tokens") > 0) & (pl.col("used_usd") >= 0)).then(
            (pl.col("used_usd").cast(pl.Float64) * 1e6 / pl.col("tokens")).round(9).cast(pl.Decimal(38, 12))
        ),
    )
    ordered = rows.sort("dimension", "used_usd", "name", descending=[False, True, False], nulls_last=True)
    return ServedGroups.frame(ordered)


def _cost(dimension: str, served: pl.DataFrame, name: str) -> pl.DataFrame:
    cost = served.group_by(name=dimension).agg(pl.col("effective_usd").sum().alias(name))
    return cost.select(pl.lit(dimension).alias("dimension"), "name", name)


def _by(dimension: str, served: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    cost = served.group_by(name=dimension).agg(used_usd=pl.col("effective_usd").sum())
    tokens = used.group_by(name=dimension).agg(tokens=(pl.col("input_tokens") + pl.col("output_tokens")).sum())
    joined = cost.join(tokens, on="name", how="full", coalesce=True, nulls_equal=True)
    zero = pl.lit(0).cast(pl.Decimal(38, 12))
    return joined.select(
        pl.lit(dimension).alias("dimension"), "name", pl.col("used_usd").fill_null(zero),
        pl.col("tokens").fill_null(0).cast(pl.Int64),
    )  # fmt: skip
