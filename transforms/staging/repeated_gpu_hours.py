"""One GPU counts once: a licence or support by the month brings no GPU-hours beside compute by the hour or day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from transforms.staging.charges import current_charges
from transforms.staging.gpu_hours_cap import LONGEST, gpus_stated, is_of_whole_resource
from transforms.staging.gpus import gpu_hours, gpu_models
from warehouse.schemas.columns import MONEY
from warehouse.schemas.staging import RepeatedGpuHours

_RESOURCE: Final = ("source", "resource_id")
_HOUR: Final = timedelta(hours=1).total_seconds() * 10**6


def repeated_gpu_hours(
    long_charges: pl.DataFrame, bill_deliveries: pl.DataFrame, instances: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One charge of more than a day whose GPU-hours shorter charges of its resource bring, wholly or in part.

    The shorter charges say when the resource ran, so that the long one brings what they leave of its GPUs at one time:
    nothing where they bill all of them, all where both are halves of one machine.

    Example: 8 GPUs by the day, and a licence of the month that states 8 × 720 GPU-hours: the licence repeats all of
    them. Of a machine of 8 that is billed 4 by the day and 6 by the month, the month repeats 2 of its 6.
    """
    rows = gpu_hours(gpu_models(current_charges(long_charges, bill_deliveries, settings), instances))
    timed = _timed(rows)
    longs = timed.filter(pl.col("is_long"))
    pairs = longs.join(timed, on=_RESOURCE, suffix="_beside").filter(
        pl.col("rank_beside") < pl.col("rank"),
        pl.col("charge_start") < pl.col("charge_end_beside"),
        pl.col("charge_start_beside") < pl.col("charge_end"),
    )
    beside = pairs.group_by("rank", maintain_order=True).agg(
        pl.col("charge_day", "source", "file_sha256", "location", "gpu_hours_exact", "gpus").first(),
        pl.col("gpus_beside").max(),
        pl.max_horizontal("chips", "gpus", "chips_beside", "gpus_beside").max().alias("room"),
    )
    beyond = (pl.col("gpus") + pl.col("gpus_beside") - pl.col("room")).clip(0)
    ratio = pl.when(beyond >= pl.col("gpus")).then(1.0).otherwise(beyond / pl.col("gpus"))
    stated = pl.col("gpu_hours_exact").to_physical()
    repeated = pl.when(ratio >= 1).then(stated).otherwise((stated.cast(pl.Float64) * ratio).round().cast(pl.Int128))
    rows_of_file = beside.with_columns(repeated.cast(pl.Int128).alias("repeated")).group_by(
        "charge_day", "source", "file_sha256", "location"
    )
    repeats = rows_of_file.agg(pl.col("repeated").sum().reinterpret(dtype=MONEY).alias("gpu_hours_repeated"))
    return RepeatedGpuHours.frame(repeats.filter(pl.col("gpu_hours_repeated") > 0)).sort(
        "charge_day", "source", "file_sha256", "location"
    )


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with GPU-hours, the shortest first and of equal ones that which costs most: its GPUs count first."""
    lasting = (pl.col("charge_end") - pl.col("charge_start")).dt.total_microseconds()
    return (
        rows.filter(is_of_whole_resource())
        .with_columns(
            lasting.alias("lasting"),
            (pl.col("charge_end") - pl.col("charge_start") > LONGEST).alias("is_long"),
            (pl.col("gpu_hours_exact").cast(pl.Float64) * _HOUR / lasting).alias("gpus"),
            gpus_stated().alias("chips"),
            pl.col("resource_id").str.to_lowercase(),
            pl.col("charge_start").dt.date().alias("charge_day"),
        )
        .sort("lasting", "effective_cost", "dimension_hash", "content_hash", "location",
              descending=[False, True, False, False, False])
        .with_row_index("rank")
    )  # fmt: skip
