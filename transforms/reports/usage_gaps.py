"""Models whose cost nobody can judge, or which serve next to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from warehouse.schemas.reports import UsageGaps

LEAST_TOKENS: Final = 10_000_000
LEAST_SHARE: Final = 0.10
WEEKS: Final = timedelta(days=28)


def usage_gaps(
    settings: pl.DataFrame,
    positions: pl.DataFrame,
    models: pl.DataFrame,
    pool_users: pl.DataFrame,
    supply: pl.DataFrame,
) -> pl.DataFrame:
    """One model whose serving costs at least a tenth of all serving, and is material, the largest cost first.

    It serves next to nobody where its requests are delivered and have under ten million tokens in four weeks; what it
    serves is not known where no request is delivered or none carries tokens. A model that delivers another unit, has
    retired, or was released less than four weeks ago is none of them.
    """
    row = settings.row(0, named=True)
    cost, recent = pl.col("monthly_inference_usd"), pl.col("recent_tokens")
    whole = float(positions["monthly_inference_usd"].sum() or 0)
    lives = models.select("model_id", "released_on", "retires_on")
    is_served = (pl.col("retires_on") > row["as_of"]).fill_null(value=True)
    is_young = (pl.col("released_on") > row["as_of"] - WEEKS).fill_null(value=False)
    is_material = (cost >= row["materiality_usd"]) & (cost.cast(pl.Float64) >= LEAST_SHARE * whole)
    code = (
        pl.when((pl.col("recent_requests") == 0) & ~pl.col("is_telemetry_delivered"))
        .then(pl.lit("no_requests"))
        .when((pl.col("recent_requests") > 0) & (recent == 0))
        .then(pl.lit("no_tokens"))
        .when((recent < LEAST_TOKENS) & ~is_young)
        .then(pl.lit("unused"))
    )
    rows = (
        positions.filter(pl.col("unit_name").is_null(), cost > 0)
        .join(lives, on="model_id", how="left")
        .filter(is_served, is_material)
        .with_columns(code=code, monthly_usd=cost, tokens=recent)
        .filter(pl.col("code").is_not_null())
        .join(_paid_until(pool_users, supply), on="model_id", how="left")
        .sort("monthly_usd", "model_id", descending=[True, False])
    )
    return UsageGaps.frame(rows.with_row_index("position", offset=1))


def _paid_until(pool_users: pl.DataFrame, supply: pl.DataFrame) -> pl.DataFrame:
    """The last end of the contracts of the pools that a model's deployments hold now."""
    holds = pool_users.filter(
        pl.col("user_kind") == "deployment", pl.col("since").is_null(), pl.col("model_id").is_not_null()
    )
    ends = supply.filter(pl.col("supply_kind") == "committed").group_by("pool_id").agg(pl.col("ends_on_latest").max())
    return holds.join(ends, on="pool_id").group_by("model_id").agg(paid_until=pl.col("ends_on_latest").max())
