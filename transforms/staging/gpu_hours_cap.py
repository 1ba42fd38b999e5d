"""One GPU counts once an hour: of rows that bill one resource at one time the compute row brings the GPU-hours."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.periods import MICROSECONDS
from warehouse.schemas.columns import MONEY

RESOURCE: Final = ("source", "resource_id", "charge_day")
"""Charges are computed by the day on which they start, so that they are compared within it."""
HOUR: Final = MICROSECONDS["hour"]
MICRO: Final = 10**6


def capped_gpu_hours(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `gpu_hours_exact` capped and `gpu_hours_capped`, what each states beyond its resource's GPUs.

    A resource holds in an hour at most the GPUs that one of its rows states: chips × time, or the row's own GPU-hours
    where those are more. The row that costs most an hour brings its GPU-hours first, licence, support and disks what is
    left, which is none where the first brings all. Two halves of one machine (on demand and reserved) stay whole.
    """
    shared = _overlapping(rows)
    if shared.is_empty():
        return rows.with_columns(pl.lit(0, dtype=pl.Int128).reinterpret(dtype=MONEY).alias("gpu_hours_capped"))
    hours = _spread(shared)
    room = hours.group_by(*RESOURCE, "hour").agg(pl.max_horizontal("stated", "held").max().alias("room"))
    ranked = hours.join(room, on=[*RESOURCE, "hour"]).sort("rank")
    before = pl.col("stated").cum_sum().over(*RESOURCE, "hour") - pl.col("stated")
    beyond = (before + pl.col("stated") - pl.col("room")).clip(0).cast(pl.Int128)
    lost = ranked.with_columns(pl.min_horizontal(beyond, "stated").alias("beyond"))
    sums = lost.group_by("row").agg(pl.col("beyond").sum(), pl.col("stated").sum())
    exact = pl.col("gpu_hours_exact").to_physical().cast(pl.Int128)
    # A row of which every hour is beyond loses all, also what the cut into hours rounded away.
    whole = pl.when(pl.col("beyond") == pl.col("stated")).then(exact).otherwise(pl.col("beyond"))
    taken = pl.when(pl.col("beyond").is_null()).then(0).otherwise(pl.min_horizontal(whole, exact)).cast(pl.Int128)
    return (
        rows.with_row_index("row")
        .join(sums, on="row", how="left", maintain_order="left")
        .with_columns(taken.alias("taken"))
        .with_columns(
            (exact - pl.col("taken")).cast(pl.Int128).reinterpret(dtype=MONEY).alias("gpu_hours_exact"),
            pl.col("taken").reinterpret(dtype=MONEY).alias("gpu_hours_capped"),
        )
        .with_columns(pl.col("gpu_hours_exact").cast(pl.Float64).alias("gpu_hours"))
        .drop("row", "beyond", "stated", "taken")
    )


def _overlapping(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with GPU-hours of the resources that two such rows bill at one time, numbered as in `rows`."""
    lasts = pl.col("charge_end") > pl.col("charge_start")
    # The parts that a provider or an allocated ledger splits a charge into add up to it: none repeats another.
    is_part = pl.col("allocated_method_id").is_not_null()
    is_timed = (pl.col("gpu_hours_exact") > 0) & pl.col("resource_id").is_not_null() & lasts & ~is_part
    timed = rows.with_row_index("row").filter(is_timed)
    ordered = timed.sort(*RESOURCE, "charge_start", "charge_end")
    ends = pl.col("charge_end").cum_max().shift(1).over(RESOURCE)
    meeting = ordered.filter(pl.col("charge_start") < ends).select(RESOURCE).unique()
    shared = timed.join(meeting, on=list(RESOURCE), how="semi")
    lasting = (pl.col("charge_end") - pl.col("charge_start")).dt.total_microseconds()
    costly = pl.col("effective_cost").cast(pl.Float64) / lasting
    # What an hour of a unit of GPU-hours says of the chips of its resource is nothing.
    chips = pl.when(~pl.col("consumed_unit").str.to_lowercase().str.contains("gpu")).then(
        pl.coalesce("gpus_per_unit", "instance_gpus")
    )
    return (
        shared.with_columns(
            lasting.cast(pl.Int128).alias("lasting"),
            costly.alias("costly"),
            (chips.fill_null(0) * MICRO).round().cast(pl.Int128).alias("micro_chips"),
        )
        .sort("costly", "dimension_hash", "content_hash", "location", descending=[True, False, False, False])
        .with_row_index("rank")
    )


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
        "hour",
        stated.alias("stated"),
        (pl.col("micro_chips") * MICRO * within // HOUR).alias("held"),
    )
