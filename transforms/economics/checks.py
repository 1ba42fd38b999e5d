"""What the economics must fulfil before a night is published; each function returns the rows that break it."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY

_TOLERANCE: Final = 1e-9
_ZERO: Final = pl.lit(0, dtype=MONEY)


def unconverted_spend(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One currency, month and source whose cost has no rate in fx.csv: the night is held as `missing_fx`."""
    missing = daily_spend.filter(pl.col("effective_usd").is_null() | pl.col("billed_usd").is_null())
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    rows = missing.group_by("currency", month, "source").agg(pl.col("billed_cost", "effective_cost").sum())
    return rows.sort("currency", "month", "source")


def days_off_the_ledger(booked_days: pl.DataFrame, daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One day, source and currency that ledger and daily spend sum up differently: a day lost, or not renewed."""
    day, costs = ("charge_date", "source", "currency"), ("billed_cost", "effective_cost")
    ledger, spend = (rows.group_by(day).agg(pl.col(costs).sum()) for rows in (booked_days, daily_spend))
    both = ledger.join(spend, on=day, how="full", coalesce=True, suffix="_of_spend")
    is_off = (pl.col(cost).fill_null(_ZERO) != pl.col(f"{cost}_of_spend").fill_null(_ZERO) for cost in costs)
    return both.filter(pl.any_horizontal(is_off)).sort(day)


def spend_off_the_ledger(
    daily_spend: pl.DataFrame, lifecycle_spend: pl.DataFrame, company_spend: pl.DataFrame
) -> pl.DataFrame:
    """The difference between the ledger and what models and company carry together; there is none."""
    ledger = daily_spend.select(usd=pl.col("effective_usd"))
    attributed = pl.concat([lifecycle_spend.select(usd="total_usd"), company_spend.select(usd="effective_usd")])
    sums = pl.DataFrame({"ledger_usd": [ledger["usd"].sum()], "carried_usd": [attributed["usd"].sum()]})
    sums = sums.select(pl.all().cast(MONEY).fill_null(_ZERO))
    return sums.filter(pl.col("ledger_usd") != pl.col("carried_usd"))


def months_off_the_days(daily_spend: pl.DataFrame, monthly_spend: pl.DataFrame) -> pl.DataFrame:
    """One month and account that the days and the months sum up differently."""
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    days = daily_spend.group_by(month, "account").agg(days_usd=pl.col("effective_usd").sum())
    months = monthly_spend.group_by("month", "account").agg(months_usd=pl.col("effective_usd").sum())
    both = days.join(months, on=["month", "account"], how="full", coalesce=True)
    return both.filter(pl.col("days_usd").fill_null(_ZERO) != pl.col("months_usd").fill_null(_ZERO))


def torn_lineage(lifecycle_spend: pl.DataFrame) -> pl.DataFrame:
    """One phase in which what models inherit is not what others pass on: a dollar kept twice, or lost."""
    phases = lifecycle_spend.group_by("phase").agg(pl.col("inherited_usd").sum())
    return phases.filter(pl.col("inherited_usd") != _ZERO)


def open_roll_forwards(amortization: pl.DataFrame) -> pl.DataFrame:
    """One month of one model that does not close, or does not open with the closing of the month before."""
    rows = amortization.sort("model_id", "month").with_columns(
        before_usd=pl.col("closing_usd").shift(1).over("model_id").fill_null(_ZERO),
        left_usd=pl.col("opening_usd") + pl.col("additions_usd") - pl.col("amortized_usd") - pl.col("written_off_usd"),
    )
    return rows.filter((pl.col("left_usd") != pl.col("closing_usd")) | (pl.col("before_usd") != pl.col("opening_usd")))


def assets_off_the_training(amortization: pl.DataFrame, lifecycle_spend: pl.DataFrame) -> pl.DataFrame:
    """The difference between what is amortised by months and the training of all models that did not fail."""
    trained = lifecycle_spend.filter(pl.col("phase") != "inference")
    sound = trained.select(usd=pl.col("direct_usd") - pl.col("waste_usd"))["usd"].sum()
    sums = pl.DataFrame({"additions_usd": [amortization["additions_usd"].sum()], "training_usd": [sound]})
    sums = sums.select(pl.all().cast(MONEY).fill_null(_ZERO))
    return sums.filter(pl.col("additions_usd") != pl.col("training_usd"))


def shares_off_one(thirds: pl.DataFrame) -> pl.DataFrame:
    """One model whose shares, or whose targets, do not add up to one."""
    shares = pl.sum_horizontal("pretraining_ratio", "posttraining_ratio", "inference_ratio")
    targets = pl.sum_horizontal("target_pretraining_ratio", "target_posttraining_ratio", "target_inference_ratio")
    has_shares = pl.col("inference_ratio").is_not_null()
    off = (has_shares & ((shares - 1).abs() > _TOLERANCE)) | ((targets - 1).abs() > _TOLERANCE)
    return thirds.filter(off)


def open_bridges(variance_bridge: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One month whose drivers do not add up to the change of its cost against the month before."""
    night = settings["as_of"].item()
    in_scope = daily_spend.filter(pl.col("account") != "out_of_scope", pl.col("charge_date") <= night)
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    spent = in_scope.with_columns(month).select("month", "charge_date", "effective_usd")
    days = variance_bridge.select("month", "days").unique()
    is_whole = pl.col("days") == pl.col("month").dt.month_end().dt.day()
    after, before = (
        side.join(days, on="month").filter(is_whole | (pl.col("charge_date").dt.day() <= pl.col("days")))
        for side in (spent, spent.with_columns(pl.col("month").dt.offset_by("1mo")))
    )
    changes = pl.concat([after, before.with_columns(pl.col("effective_usd").neg())])
    cost_changes = changes.group_by("month").agg(cost_usd=pl.col("effective_usd").sum())
    drivers = variance_bridge.group_by("month").agg(drivers_usd=pl.col("change_usd").sum())
    return drivers.join(cost_changes, on="month", how="left").filter(pl.col("drivers_usd") != pl.col("cost_usd"))
