"""Which pool stands idle for most, and whether a decision answers it."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.reports import IdlePools
from warehouse.vocabulary import IDLE_ACCOUNTS

STATED_AS_DECIDED = ("all_in_use", "paid_until_contract_end", "hardware_owned", "not_valued")


def idle_pools(
    subject: pl.DataFrame, waste: pl.DataFrame, recommendations: pl.DataFrame, candidates: pl.DataFrame
) -> pl.DataFrame:
    """One pool with idle or unused cost in the month reported, the largest first, and the rank of its decision."""
    idle = (
        waste.filter(pl.col("month") == subject["month"].item(), pl.col("cause").is_in(IDLE_ACCOUNTS))
        .drop_nulls("pool_id")
        .group_by("pool_id")
        .agg(idle_usd=pl.col("wasted_usd").sum())
        .filter(pl.col("idle_usd") > 0)
    )
    asked = (
        recommendations.filter(pl.col("action") == "release_capacity")
        .group_by("pool_id")
        .agg(decision_rank=pl.col("rank").min())
    )
    weighed = (
        candidates.filter(pl.col("action") == "release_capacity")
        .group_by("pool_id")
        .agg(verdict=pl.col("reason_code").first())
    )
    reason = (
        pl.when(pl.col("decision_rank").is_not_null()).then(pl.lit(None, pl.String))
        .when(pl.col("verdict").is_null()).then(pl.lit("not_valued"))
        .when(pl.col("verdict").is_in(STATED_AS_DECIDED)).then("verdict")
        .otherwise(pl.lit("falls_short"))
    )  # fmt: skip
    reasoned = idle.join(asked, on="pool_id", how="left").join(weighed, on="pool_id", how="left")
    rows = reasoned.with_columns(reason=reason).sort("idle_usd", "pool_id", descending=[True, False])
    return IdlePools.frame(rows.with_row_index("position", offset=1))
