"""How long training still waits to be amortised, by the method of each model, and what its retirement would leave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.reports import Runoffs

PACE_DAYS: Final = 28
MOST_DAYS: Final = 100 * 365


def runoffs(
    subject: pl.DataFrame, amortization: pl.DataFrame, models: pl.DataFrame, daily_service: pl.DataFrame
) -> pl.DataFrame:
    """Every model with a balance at the end of the month reported, and the days until none is left.

    Straight line: the month took `amortized` of `closing + amortized` for its days of service, so of the days that the
    schedule had, `expected × closing / (closing + amortized)` are left; 13 of 548 days leave 535, however few days of
    the month were served. Units of production: what is still expected over the mean day of the last 28 days of the
    report, or of those since the model began to serve.
    """
    end = subject["period_end"].item()
    closing, amortized = (pl.col(name).cast(pl.Float64) for name in ("closing_usd", "amortized_usd"))
    scheduled = pl.when(closing + amortized != 0).then(pl.col("expected_days") * closing / (closing + amortized))
    left_units = pl.max_horizontal(pl.col("expected_tokens") - pl.col("tokens_served"), pl.lit(0.0))
    pace = pl.when(pl.col("production_unit") == "tokens").then("daily_tokens").otherwise("daily_units")
    paced = pl.when(pace > 0).then(left_units / pace)
    is_straight = pl.col("method") == "straight_line"
    rows = (
        amortization.filter(pl.col("month") == subject["month"].item(), pl.col("closing_usd") != 0)
        .join(models.select("model_id", "retires_on"), on="model_id", how="left")
        .join(_pace(daily_service, end), on="model_id", how="left")
        .with_columns(left_days=pl.when(is_straight).then(scheduled).otherwise(paced))
        .with_columns(pl.when(pl.col("left_days").is_between(0, MOST_DAYS)).then("left_days").alias("left_days"))
    )
    return Runoffs.frame(rows.with_columns(*_ends(end)).sort("model_id"))


def _ends(end: date) -> list[pl.Expr]:
    """The months and the last day until nothing is left, the pace of a day, and what retirement would leave."""
    closing = pl.col("closing_usd").cast(pl.Float64)
    served = (pl.col("retires_on") - pl.lit(end)).dt.total_days() + 1
    unserved = 1 - pl.max_horizontal(served, pl.lit(0)) / pl.col("left_days")
    stranded = (
        pl.when(pl.col("left_days") > served).then(closing * unserved).when(pl.col("left_days") <= served).then(0.0)
    )
    whole_days = pl.col("left_days").ceil().cast(pl.Int64)
    return [
        (pl.lit(end) + pl.duration(days=whole_days - 1)).alias("ends_on"),
        (pl.col("left_days") / DAYS_PER_MONTH).alias("left_months"),
        (closing / pl.col("left_days")).fill_nan(None).round(6).cast(pl.Decimal(38, 12)).alias("daily_usd"),
        stranded.round(6).cast(pl.Decimal(38, 12)).alias("stranded_usd"),
        pl.when(pl.col("left_days").is_null())
        .then(pl.lit("not_serving"))
        .when(pl.col("method") == "straight_line")
        .then(pl.lit("schedule"))
        .otherwise(pl.lit("pace"))
        .alias("basis"),
    ]


def _pace(daily_service: pl.DataFrame, end: date) -> pl.DataFrame:
    """The mean day of the 28 days before `end`, tokens and units apart; days before the first service are none."""
    first = pl.max_horizontal(pl.col("first_day"), pl.lit(end - timedelta(days=PACE_DAYS)))
    served = daily_service.filter(pl.col("day") < end).with_columns(first_day=pl.col("day").min().over("model_id"))
    recent = served.filter(pl.col("day") >= first)
    days = (pl.lit(end) - first.first()).dt.total_days()
    return recent.group_by("model_id").agg(
        daily_tokens=(pl.col("input_tokens") + pl.col("output_tokens")).sum() / days,
        daily_units=pl.col("units").sort().sum() / days,
    )
