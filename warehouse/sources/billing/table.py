"""A bill as any table: columns by the names of staging.charges, or by those the settings give."""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from warehouse.sources.billing.charge_casts import CELLS
from warehouse.sources.billing.charge_reader import CUSTOM, Shaped, float_flags, read_bill
from warehouse.sources.casts.number_casts import size
from warehouse.sources.casts.timestamps import Clock, clock_of, instants
from warehouse.sources.decode.column_mapping import LastLine, Layout, source_layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

TAG: Final = "tag:"
EXTRAS: Final = ("tags", "duration_s", "gpu_count", "charge_key")
REQUIRED: Final = (("charge_start",), ("billed_cost", "effective_cost"), ("currency",))
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_HOUR: Final = 3_600_000_000


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of the table.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    return read_bill(delivered, source, layout(source), partial(_shaped, clock=clock_of(source)))


def layout(source: Source) -> Layout:
    """Canonical names unless the settings name the file's own; whatever else the file has is kept."""
    last_line: LastLine = "any" if source.options.get("final_newline") == "optional" else "ended"
    return source_layout(source, (*CELLS, *EXTRAS), REQUIRED, unmapped="kept", last_line=last_line)


def _shaped(batch: Batch, clock: Clock) -> Shaped:
    rows, unmapped = batch.rows, batch.unmapped
    timed = rows.with_columns(_times(rows, clock))
    tagged = [name for name in rows.columns if name.startswith(TAG)]
    labels = [name for name in unmapped.columns if name.casefold().startswith((TAG, CUSTOM))]
    return Shaped(
        cells=timed.with_columns(_costs(batch)).with_columns(_gpus(timed, clock)),
        layers=rows.select("tags"),
        labels=pl.concat([rows.select(tagged), unmapped.select(labels)], how="horizontal").rename(_without_prefix),
        others=unmapped.drop(labels),
        providers=pl.Series([""]).new_from_index(0, rows.height),
        identity=rows["charge_key"] if "charge_key" in batch.present else None,
        flags=float_flags(batch) | (frozenset() if _has_both(batch) else {"single_cost"}),
    )


def _without_prefix(name: str) -> str:
    return name[len(TAG) :] if name.casefold().startswith(TAG) else name


def _times(rows: pl.DataFrame, clock: Clock) -> list[pl.Expr]:
    """What the table leaves open: an end that follows from a duration, or is the start; a period that is the month."""
    start, seconds = instants(rows["charge_start"], clock).values, size(rows["duration_s"]).values
    lasting = (seconds.fill_null(0) * 1_000_000).round().cast(pl.Int64).cast(pl.Duration("us"))
    month = start.dt.truncate("1mo")
    return [
        _filled("charge_end", (start + lasting).dt.to_string(_ISO)),
        _filled("billing_period_start", month.dt.to_string("%Y-%m-%d")),
        _filled("billing_period_end", month.dt.offset_by("1mo").dt.to_string("%Y-%m-%d")),
        _filled("charge_category", pl.lit("Usage")),
    ]


def _filled(name: str, otherwise: pl.Series | pl.Expr) -> pl.Expr:
    filled = pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name))
    return pl.coalesce(filled, pl.lit(otherwise) if isinstance(otherwise, pl.Series) else otherwise).alias(name)


def _has_both(batch: Batch) -> bool:
    return {"billed_cost", "effective_cost"} <= batch.present


def _costs(batch: Batch) -> list[pl.Expr]:
    """A table with one cost has it as the other one too."""
    absent = {"billed_cost", "effective_cost"} - batch.present
    return [pl.col("effective_cost" if name == "billed_cost" else "billed_cost").alias(name) for name in sorted(absent)]


def _gpus(cells: pl.DataFrame, clock: Clock) -> list[pl.Expr]:
    """GPUs count per hour that was consumed; where no quantity is told, for the time the charge lasts."""
    gpus = size(cells["gpu_count"]).values
    lasting = instants(cells["charge_end"], clock).values - instants(cells["charge_start"], clock).values
    hours = (gpus * lasting.dt.total_microseconds() / _HOUR).cast(pl.String)
    is_untold = pl.col("consumed_quantity").is_null() & pl.col("gpu_hours").is_null()
    return [
        pl.coalesce("gpus_per_unit", "gpu_count").alias("gpus_per_unit"),
        pl.when(is_untold).then(pl.lit(hours)).otherwise(pl.col("gpu_hours")).alias("gpu_hours"),
    ]
