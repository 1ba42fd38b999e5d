"""What moved between two months, and whether it lasts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from transforms.data_cutoff import last_known_day
from transforms.reports.reported_spend import in_scope, month_after, of_subject
from warehouse.schemas.reports import Movers

FEWEST_DAYS_AFTER: Final = 7


def movers(
    settings: pl.DataFrame,
    subject: pl.DataFrame,
    daily_spend: pl.DataFrame,
    demand_states: pl.DataFrame,
    models: pl.DataFrame,
) -> pl.DataFrame:
    """Every entity with cost in either month, the largest change first; changes add up to the change of the month.

    Days that requests or the bill have not told of yet are on neither side, and no day after them of the month before.

    Whether a change lasts is a fact and no property of the class: it lasts where the days after the month are nearer to
    the month than to the one before. From 100 to 700 a month (22.6 a day) and then 20 a day: lasts; then 4 a day:
    reversed. Before a week of later days is known, cost in both months lasts, cost of only one is new or has ended.
    """
    row = subject.row(0, named=True)
    if row["previous_month"] is None:
        return Movers.empty()
    spend = of_subject(daily_spend, subject).filter(pl.col("month").is_in([row["previous_month"], row["month"]]))
    known_to = last_known_day(demand_states, settings)
    is_current = pl.col("month") == row["month"]
    is_whole = row["month"] + timedelta(days=row["known_days"]) == month_after(row["month"])
    spend = spend.filter(pl.lit(is_whole) | (pl.col("charge_date").dt.day() <= row["known_days"]))
    cost = pl.col("effective_usd")
    rows = (
        _entities(spend)
        .group_by("cost_class", "model_id")
        .agg(previous_usd=cost.filter(~is_current).sum(), current_usd=cost.filter(is_current).sum())
        .with_columns(change_usd=pl.col("current_usd") - pl.col("previous_usd"))
        .join(_later(daily_spend, row, known_to), on=["cost_class", "model_id"], how="left", nulls_equal=True)
        .with_columns(persistence=_persistence(row, known_to))
        .join(models.select("model_id", "owner"), on="model_id", how="left")
        .sort(pl.col("change_usd").abs(), "cost_class", "model_id", descending=[True, False, False])
        .with_row_index("position", offset=1)
    )
    return Movers.frame(rows)


def _entities(spend: pl.DataFrame) -> pl.DataFrame:
    """Spend by what it is listed under: the model only where the cost is its own."""
    return spend.with_columns(model_id=pl.when(pl.col("account") == "direct").then("model_id"))


def _later(daily_spend: pl.DataFrame, row: dict[str, Any], known_to: date) -> pl.DataFrame:
    """The mean day of each entity after the month reported, where a week of such days is known."""
    days = (known_to - row["period_end"]).days + 1
    after = _entities(in_scope(daily_spend)).filter(
        pl.col("charge_date") >= row["period_end"], pl.col("charge_date") <= known_to
    )
    mean = pl.col("effective_usd").sum().cast(pl.Float64) / max(days, 1)
    sums = after.group_by("cost_class", "model_id").agg(later_daily_usd=mean)
    return sums if days >= FEWEST_DAYS_AFTER else sums.clear()


def _persistence(row: dict[str, Any], known_to: date) -> pl.Expr:
    """What became of the change."""
    is_known = (known_to - row["period_end"]).days + 1 >= FEWEST_DAYS_AFTER
    days = row["known_days"] or 1
    length = (row["month"] - row["previous_month"]).days
    is_whole = row["month"] + timedelta(days=days) == month_after(row["month"])
    now = pl.col("current_usd").cast(pl.Float64) / days
    before = pl.col("previous_usd").cast(pl.Float64) / (length if is_whole else min(days, length))
    later = pl.col("later_daily_usd").fill_null(0.0)
    lasts = (later - now).abs() <= (later - before).abs()
    first = pl.when(pl.col("previous_usd") == 0).then(pl.lit("new"))
    unseen = first.when(pl.col("current_usd") == 0).then(pl.lit("ended")).otherwise(pl.lit("lasts"))
    return pl.when(lasts).then(pl.lit("lasts")).otherwise(pl.lit("reversed")) if is_known else unseen
