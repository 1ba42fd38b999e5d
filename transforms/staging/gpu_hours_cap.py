"""One GPU counts once an hour: of rows that bill one resource at one time the compute row brings the GPU-hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from transforms.periods import MICROSECONDS
from warehouse.schemas.columns import MONEY

RESOURCE: Final = ("source", "resource_id", "charge_day")
"""Charges are computed by the day on which they start, so that they are compared within it."""
LONGEST: Final = timedelta(days=1)
"""Charges that last longer meet shorter ones of other days as well: transforms.staging.repeated_gpu_hours."""
HOUR: Final = MICROSECONDS["hour"]
MICRO: Final = 10**6
_SKU: Final = ("service_name", "sku_id")
_COVER: Final = ("billing_account_id", "currency", "commitment_discount_id")


def capped_gpu_hours(rows: pl.DataFrame, repeated_gpu_hours: pl.DataFrame) -> pl.DataFrame:
    """The rows with `gpu_hours_exact` capped and `gpu_hours_capped`, what each states beyond its resource's GPUs.

    Rows of more than a day come last, and bring nothing that shorter rows of any day bring: `repeated_gpu_hours`.

    A resource holds in an hour at most the GPUs that one of its rows states: chips × time, or the row's own GPU-hours
    where those are more. The row that costs most an hour brings its GPU-hours first, licence, support and disks what is
    left, which is none where the first brings all. Two halves of one machine (on demand and reserved) stay whole. Where
    a row states more than one machine has, its resource is a fleet under one name: an hour of it is covered by one
    commitment or by none and billed to one account, so that what rows of one sku state under each adds up.
    """
    none = pl.lit(0, dtype=pl.Int128)
    exact = pl.col("gpu_hours_exact").to_physical().cast(pl.Int128)
    elsewhere = repeated_gpu_hours.select(
        "source",
        "file_sha256",
        "location",
        pl.col("gpu_hours_repeated").to_physical().cast(pl.Int128).alias("elsewhere"),
    )
    within = _beyond_of_day(rows)
    if within.is_empty() and elsewhere.is_empty():
        return rows.with_columns(none.reinterpret(dtype=MONEY).alias("gpu_hours_capped"))
    # A row of which every hour is beyond loses all, also what the cut into hours rounded away.
    whole = pl.when(pl.col("beyond") == pl.col("stated")).then(exact).otherwise(pl.col("beyond"))
    lost = pl.max_horizontal(whole.fill_null(0), pl.col("elsewhere").fill_null(0))
    return (
        rows.with_row_index("row")
        .join(within, on="row", how="left", maintain_order="left")
        .join(elsewhere, on=["source", "file_sha256", "location"], how="left", maintain_order="left")
        .with_columns(pl.min_horizontal(lost, exact).cast(pl.Int128).alias("taken"))
        .with_columns(
            (exact - pl.col("taken")).cast(pl.Int128).reinterpret(dtype=MONEY).alias("gpu_hours_exact"),
            pl.col("taken").reinterpret(dtype=MONEY).alias("gpu_hours_capped"),
        )
        .with_columns(pl.col("gpu_hours_exact").cast(pl.Float64).alias("gpu_hours"))
        .drop("row", "beyond", "stated", "elsewhere", "taken")
    )


def _beyond_of_day(rows: pl.DataFrame) -> pl.DataFrame:
    """One row that states more than the GPUs of its resource have left in its hours: `row, beyond, stated`."""
    hours = _spread(_overlapping(rows.with_columns(pl.col("resource_id").str.to_lowercase())))
    ranked = hours.join(_room(hours), on=[*RESOURCE, "hour"], nulls_equal=True).sort("rank")
    before = pl.col("stated").cum_sum().over(*RESOURCE, "hour") - pl.col("stated")
    beyond = (before + pl.col("stated") - pl.col("room")).clip(0).cast(pl.Int128)
    lost = ranked.with_columns(pl.min_horizontal(beyond, "stated").alias("beyond"))
    return lost.group_by("row").agg(pl.col("beyond").sum(), pl.col("stated").sum())


def _room(hours: pl.DataFrame) -> pl.DataFrame:
    """One resource in one hour: the GPU time that it can have at most, in 10⁻¹²."""
    hour = [*RESOURCE, "hour"]
    covered = hours.group_by(*hour, *_SKU, *_COVER).agg(pl.col("stated").max())
    fleet = covered.group_by(*hour, *_SKU).agg(pl.col("stated").sum()).group_by(hour).agg(fleet=pl.col("stated").max())
    machine = hours.group_by(hour).agg(pl.col("stated").max(), pl.col("held").max())
    is_fleet = (pl.col("held") > 0) & (pl.col("stated") > pl.col("held"))
    room = pl.when(is_fleet).then("fleet").otherwise(pl.max_horizontal("stated", "held"))
    return machine.join(fleet, on=hour, nulls_equal=True).select(*hour, room=room)


def _overlapping(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with GPU-hours of the resources that two such rows bill at one time, numbered as in `rows`."""
    timed = rows.with_row_index("row").filter(is_of_whole_resource())
    ordered = timed.sort(*RESOURCE, "charge_start", "charge_end")
    ends = pl.col("charge_end").cum_max().shift(1).over(RESOURCE)
    meeting = ordered.filter(pl.col("charge_start") < ends).select(RESOURCE).unique()
    shared = timed.join(meeting, on=list(RESOURCE), how="semi")
    lasting = (pl.col("charge_end") - pl.col("charge_start")).dt.total_microseconds()
    costly = pl.col("effective_cost").cast(pl.Float64) / lasting
    is_long = pl.col("charge_end") - pl.col("charge_start") > LONGEST
    return (
        shared.with_columns(
            lasting.cast(pl.Int128).alias("lasting"),
            costly.alias("costly"),
            (gpus_stated() * MICRO).round().cast(pl.Int128).alias("micro_chips"),
            is_long.alias("is_long"),
        )
        .sort("is_long", "costly", "dimension_hash", "content_hash", "location",
              descending=[False, True, False, False, False])
        .with_row_index("rank")
    )  # fmt: skip


def is_of_whole_resource() -> pl.Expr:
    """Whether a row bills GPU-hours of a resource over some time; parts of a split add up, and none repeats another."""
    lasts = pl.col("charge_end") > pl.col("charge_start")
    is_part = pl.col("allocated_method_id").is_not_null()
    return (pl.col("gpu_hours_exact") > 0) & pl.col("resource_id").is_not_null() & lasts & ~is_part


def gpus_stated() -> pl.Expr:
    """The GPUs that a row says its resource has, 0 for none: an hour of a unit of GPU-hours says nothing of them."""
    chips = pl.when(~pl.col("consumed_unit").str.to_lowercase().str.contains("gpu")).then(
        pl.coalesce("gpus_per_unit", "instance_gpus")
    )
    return chips.fill_null(0)


def _spread(shared: pl.DataFrame) -> pl.DataFrame:
    """Each row in each of its hours: what it states of GPU-hours there, and what its chips hold there, in 10⁻¹²."""
    first = pl.col("charge_start").dt.truncate("1h")
    last = (pl.col("charge_end") - pl.duration(microseconds=1)).dt.truncate("1h")
    hours = shared.with_columns(pl.datetime_ranges(first, last, "1h").alias("hour")).explode("hour")
    end = pl.min_horizontal("charge_end", pl.col("hour") + pl.duration(hours=1))
    within = (end - pl.max_horizontal("charge_start", "hour")).dt.total_microseconds().cast(pl.Int128)
    stated = pl.col("gpu_hours_exact").to_physical().cast(pl.Int128) * within // pl.col("lasting")
    return hours.select(
        "row",
        "rank",
        *RESOURCE,
        *_SKU,
        *_COVER,
        "hour",
        stated.alias("stated"),
        (pl.col("micro_chips") * MICRO * within // HOUR).alias("held"),
    )
