"""How long training is still carried, and what will be left."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.reports import Runoffs

DAYS_A_MONTH = 365.25 / 12


def runoffs(subject: pl.DataFrame, amortization: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Every model with a balance at the end of the month reported, at the pace of that month."""
    row = subject.row(0, named=True)
    closing, monthly = pl.col("closing_usd").cast(pl.Float64), pl.col("amortized_usd").cast(pl.Float64)
    ahead = (pl.col("retires_on") - pl.lit(row["period_end"])).dt.total_days() / DAYS_A_MONTH
    left = pl.when(pl.col("months") > ahead).then(closing - monthly * ahead.clip(lower_bound=0)).otherwise(0.0)
    rows = (
        amortization.filter(pl.col("month") == row["month"], pl.col("closing_usd") != 0)
        .join(models.select("model_id", "retires_on"), on="model_id", how="left")
        .with_columns(monthly_usd="amortized_usd", months=pl.when(monthly > 0).then(closing / monthly))
        .with_columns(stranded_usd=left.round(6).cast(pl.Decimal(38, 12)))
    )
    return Runoffs.frame(rows.sort("model_id"))
