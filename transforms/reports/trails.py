"""How each model's balance came about."""

from __future__ import annotations

import polars as pl

from transforms.reports.spend import in_scope, month_after
from warehouse.schemas.policy import PHASES
from warehouse.schemas.reports import Trails

TRAIL_MONTHS = 6


def trails(subject: pl.DataFrame, daily_spend: pl.DataFrame) -> pl.DataFrame:
    """Direct spend to each of the last six month-ends, of the models that had spent anything by then."""
    row = subject.row(0, named=True)
    direct = in_scope(daily_spend).filter(
        pl.col("account") == "direct", pl.col("model_id").is_not_null(), pl.col("charge_date") <= row["as_of"]
    )
    months = [month_after(row["month"], -back) for back in range(TRAIL_MONTHS - 1, -1, -1)]
    cost = pl.col("effective_usd")
    ends = [
        direct.filter(pl.col("month") <= month)
        .group_by("model_id")
        .agg(cost.filter(pl.col("phase") == phase).sum().alias(f"{phase}_usd") for phase in PHASES)
        .with_columns(month=pl.lit(month))
        for month in months
    ]
    return Trails.frame(pl.concat(ends).sort("model_id", "month"))
