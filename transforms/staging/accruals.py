"""Charges for GPUs that send no bill: accrued day by day from the rate card and from the value the GPUs lose."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import polars as pl

from transforms.money import units
from transforms.periods import MICROSECONDS
from warehouse.schemas.columns import INSTANT, MONEY
from warehouse.schemas.names import ACCRUAL
from warehouse.schemas.staging import Accruals

HOURS_A_DAY = 24
NANO = 10**9
"""GPU counts are exact to nine decimals: a seventh of a GPU is 0.142857143."""


def accruals(rates: pl.DataFrame, pools: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One charge per pool with a rate and UTC day on which both the rate and the pool's capacity hold, up to the night.

    Raises:
        ValueError: a rate and its pool that are both open to the past, so that no first day exists.
    """
    spans = _spans(rates, pools, settings["as_of"].item())
    _require_first_day(spans)
    days = (
        spans.filter(pl.col("first") < pl.col("after"))
        .with_columns(pl.date_ranges("first", "after", closed="left").alias("day"))
        .explode("day")
        .sort("pool_id", "day")
    )
    return Accruals.frame(_priced(days, settings))


def _spans(rates: pl.DataFrame, pools: pl.DataFrame, last: date) -> pl.DataFrame:
    """Each price with the GPUs of its pool over the days on which both hold, and the value lost over all its days."""
    return rates.join(pools, on="pool_id", suffix="_pool").select(
        "pool_id",
        "gpu_model",
        "gpu_count",
        units("usd_per_gpu_hour").alias("rate"),
        (units("opening_usd") - units("closing_usd")).alias("loss"),
        pl.col("valid_from").alias("loss_from"),
        (pl.col("valid_to") - pl.col("valid_from")).dt.total_days().alias("loss_days"),
        pl.max_horizontal("valid_from", "valid_from_pool").alias("first"),
        pl.min_horizontal("valid_to", "valid_to_pool", pl.lit(last + timedelta(days=1))).alias("after"),
    )


def _priced(days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Cost = GPU-hours × rate, half up at 12 decimals, plus the day's loss of value; billed = effective."""
    nano_hours = (pl.col("gpu_count") * NANO).round().cast(pl.Int128) * HOURS_A_DAY
    priced = ((nano_hours * pl.col("rate") * 2 + NANO) // (2 * NANO)).fill_null(0)
    cost = (priced + _lost()).reinterpret(dtype=MONEY)
    start = pl.col("day").cast(INSTANT)
    return days.select(
        pl.Series(
            "charge_id", [_charge_id(*row) for row in days.select("pool_id", "day").iter_rows()], dtype=pl.String
        ),
        pl.lit(ACCRUAL).alias("source"),
        pl.col("day").dt.month_start().alias("billing_period_start"),
        pl.col("day").dt.month_start().dt.offset_by("1mo").alias("billing_period_end"),
        start.alias("charge_start"),
        (start + pl.duration(microseconds=MICROSECONDS["day"])).alias("charge_end"),
        pl.col("day").alias("charge_day"),
        pl.lit("Usage").alias("charge_category"),
        pl.col("pool_id").alias("resource_id"),
        _description(),
        pl.lit("{}").alias("tags"),
        pl.lit(settings["currency"].item()).alias("currency"),
        cost.alias("billed_cost"),
        cost.alias("effective_cost"),
        (nano_hours * 1000).reinterpret(dtype=MONEY).alias("consumed_quantity"),
        pl.lit("GPU-Hours").alias("consumed_unit"),
        "gpu_model",
        (pl.col("gpu_count") * HOURS_A_DAY).alias("gpu_hours"),
        (nano_hours * 1000).reinterpret(dtype=MONEY).alias("gpu_hours_exact"),
        start.alias("known_at"),
    )


def _lost() -> pl.Expr:
    """The day's part of the loss of value: alike for every day, units that are left over go one each to the first."""
    ordinal = (pl.col("day") - pl.col("loss_from")).dt.total_days()
    quotient, left_over = pl.col("loss") // pl.col("loss_days"), pl.col("loss") % pl.col("loss_days")
    return (quotient + (ordinal < left_over).cast(pl.Int128)).fill_null(0)


def _description() -> pl.Expr:
    words = (
        pl.when(pl.col("loss").is_null())
        .then(pl.lit("rate card"))
        .when(pl.col("rate").is_not_null())
        .then(pl.lit("rate card and depreciation"))
        .otherwise(pl.lit("depreciation"))
    )
    return pl.concat_str(words, pl.lit(", policy/rates.csv")).alias("charge_description")


def _charge_id(pool_id: str, day: date) -> str:
    digest = hashlib.sha256(f"{pool_id}\x1f{day.isoformat()}".encode()).hexdigest()
    return f"{ACCRUAL}-{digest[:24]}-1"


def _require_first_day(spans: pl.DataFrame) -> None:
    endless = spans.filter(pl.col("first").is_null())
    if endless.height:
        pool = endless["pool_id"].sort()[0]
        raise ValueError(
            f"policy/rates.csv: the rate of pool {pool!r} has no first day, and neither has the pool in "
            "policy/pools.csv; write valid_from in one of them, so that costs are accrued from that day on"
        )
