"""How each model's balance came about."""

from __future__ import annotations

from datetime import date

import polars as pl

from transforms.reports.reported_spend import in_scope, month_after, month_of
from warehouse.schemas.reports import Trails
from warehouse.vocabulary import PHASES

TRAIL_MONTHS = 36


def trails(subject: pl.DataFrame, daily_spend: pl.DataFrame) -> pl.DataFrame:
    """Direct spend to the end of each month since a model's first, the running month to the night."""
    night = subject.row(0, named=True)["as_of"]
    direct = in_scope(daily_spend).filter(
        pl.col("account") == "direct", pl.col("model_id").is_not_null(), pl.col("charge_date") <= night
    )
    cost = pl.col("effective_usd")
    monthly = direct.group_by("model_id", "month").agg(
        cost.filter(pl.col("phase") == phase).sum().alias(f"{phase}_usd") for phase in PHASES
    )
    first = monthly.group_by("model_id").agg(first=pl.col("month").min())
    first_month = monthly["month"].min()
    start = first_month if isinstance(first_month, date) else month_of(night)
    months = pl.DataFrame({"month": pl.date_range(start, month_of(night), "1mo", eager=True)})
    sums = (
        first.join(months, how="cross")
        .filter(pl.col("month") >= pl.col("first"))
        .join(monthly, on=["model_id", "month"], how="left")
        .sort("model_id", "month")
        .with_columns(
            pl.col(f"{phase}_usd").fill_null(pl.lit(0).cast(pl.Decimal(38, 12))).cum_sum().over("model_id")
            for phase in PHASES
        )
    )
    return Trails.frame(sums.filter(pl.col("month") > month_after(month_of(night), -TRAIL_MONTHS)))
