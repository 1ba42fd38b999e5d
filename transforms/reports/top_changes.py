"""What moved between two months."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from transforms.reports.spend import TRAINING, month_after, of_subject
from warehouse.schemas.reports import Movers


def movers(subject: pl.DataFrame, daily_spend: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Every entity with cost in either month, the largest change first; changes add up to the change of the month.

    Days that requests or the bill have not told of yet are on neither side, and no day after them of the month before.
    """
    row = subject.row(0, named=True)
    if row["previous_month"] is None:
        return Movers.empty()
    spend = of_subject(daily_spend, subject).filter(pl.col("month").is_in([row["previous_month"], row["month"]]))
    is_current = pl.col("month") == row["month"]
    is_whole = row["month"] + timedelta(days=row["known_days"]) == month_after(row["month"])
    spend = spend.filter(pl.lit(is_whole) | (pl.col("charge_date").dt.day() <= row["known_days"]))
    cost = pl.col("effective_usd")
    rows = (
        spend.with_columns(model_id=pl.when(pl.col("account") == "direct").then("model_id"))
        .group_by("cost_class", "model_id")
        .agg(previous_usd=cost.filter(~is_current).sum(), current_usd=cost.filter(is_current).sum())
        .with_columns(
            change_usd=pl.col("current_usd") - pl.col("previous_usd"),
            is_lasting=~pl.col("cost_class").is_in(TRAINING),
        )
        .join(models.select("model_id", "owner"), on="model_id", how="left")
        .sort(pl.col("change_usd").abs(), "cost_class", "model_id", descending=[True, False, False])
        .with_row_index("position", offset=1)
    )
    return Movers.frame(rows)
