"""OpenCost allocations, the API's answer as JSON or the CSV export: who held how many GPU-hours. Costs are not read.

Reference: https://opencost.io/docs/integrations/api (allocation), pkg/costmodel/csv_export.go of opencost/opencost.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY
from warehouse.schemas.raw import WorkloadRows
from warehouse.sources.billing.opencost_json import allocations, is_answer
from warehouse.sources.billing.tags import tags
from warehouse.sources.casts.casts import Cast, first_reason, free_text, null_if, refused, required
from warehouse.sources.casts.decimals import quantity
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of, end_in_range, in_order, instants, start_in_range
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import batches, refusals
from warehouse.sources.reader_protocol import NOTHING_REFUSED, Delivered, Reading
from warehouse.sources.source import Source

PARTS: Final = ("cluster", "node", "namespace", "controller", "pod", "container")
CELLS: Final = ("name", *PARTS, "labels", "started_at", "ended_at", "gpu_hours")
NAMING: Final = ("cluster", "namespace", "pod", "container")
EXPORTED: Final = {
    "started_at": "Date",
    "namespace": "Namespace",
    "controller": "ControllerName",
    "pod": "Pod",
    "container": "Container",
    "labels": "Labels",
    "gpus": "GPUs",
}
DAY_HOURS: Final = 24
_NOBODY: Final = r"(?:^|/)__(?:idle|unallocated|unmounted)__(?:/|$)"


def read(delivered: Delivered, source: Source) -> Reading:
    """Every workload that held GPUs.

    Raises:
        RejectedFile: as warehouse.sources.records.batches, and unreadable for an answer that is no success.
    """
    if is_answer(delivered.content):
        return _reading(delivered, source, [allocations(delivered.content)], frozenset(), NOTHING_REFUSED, 0)
    layout = Layout({column: (name,) for column, name in EXPORTED.items()}, (("started_at",), ("gpus",)))
    read_batches = list(batches(delivered, layout))
    rejected = pl.concat([NOTHING_REFUSED, *(batch.refused for batch in read_batches)])
    rows = [_exported(batch.rows) for batch in read_batches]
    return _reading(
        delivered, source, rows, frozenset({"whole_days_assumed"}), rejected, sum(batch.blank for batch in read_batches)
    )


def _exported(rows: pl.DataFrame) -> pl.DataFrame:
    """The export knows the average of GPUs while a container ran, not for how long: the whole day is assumed."""
    day = pl.col("started_at").str.to_date("%Y-%m-%d", strict=False)
    gpus = quantity(rows["gpus"]).values.alias("exact_gpus")
    hours = (pl.col("exact_gpus").to_physical() * DAY_HOURS).reinterpret(dtype=MONEY).cast(pl.String)
    return rows.with_columns(gpus).with_columns(
        hours.fill_null(pl.col("gpus")).alias("gpu_hours"),
        pl.coalesce(day.dt.offset_by("1d").cast(pl.String), "started_at").alias("ended_at"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("cluster", "node", "name")),
    )


def _reading(
    delivered: Delivered,
    source: Source,
    parts: list[pl.DataFrame],
    flags: frozenset[str],
    rejected: pl.DataFrame,
    blank: int,
) -> Reading:
    cells = pl.concat([part.select("location", *CELLS) for part in parts])
    typed, reasons = _typed(cells, source, delivered)
    held = typed.filter(reasons.is_null() & (typed["gpu_hours"] > 0) & ~_is_nobody(typed))
    kept = held.with_columns(pl.lit(delivered.sha256).alias("file_sha256"), pl.lit(source.name).alias("source"))
    return Reading(
        rows=cells.height + rejected.height + blank,
        frames={WorkloadRows.table_name: WorkloadRows.frame(kept)},
        refused=pl.concat([rejected, refusals(cells, reasons)]),
        blank=blank,
        flags=tuple(sorted(flags | assumptions(source, cells["started_at"], cells["ended_at"]))),
    )


def _typed(cells: pl.DataFrame, source: Source, delivered: Delivered) -> tuple[pl.DataFrame, pl.Series]:
    """Values, and why a row has none. Hours that are null or no number are unknown, and use nothing."""
    clock = clock_of(source)
    casts = {name: free_text(null_if(cells[name])) for name in ("name", *PARTS)}
    casts["labels"] = tags(cells.select("labels"), pl.DataFrame())
    casts |= {name: required(instants(cells[name], clock), "bad_date") for name in ("started_at", "ended_at")}
    hours = quantity(cells["gpu_hours"])
    casts["gpu_hours"] = Cast(hours.values, hours.reasons)
    typed = pl.DataFrame([cells["location"], *(cast.values.alias(name) for name, cast in casts.items())])
    named = pl.concat_str(NAMING, separator="/", ignore_nulls=True)
    typed = typed.with_columns(pl.when(named == "").then("name").otherwise(named).fill_null("").alias("workload"))
    is_negative = (typed["gpu_hours"] < 0).fill_null(value=False) & ~_is_nobody(typed)  # the exporter's idle can be
    return typed, first_reason(
        *(cast.reasons for cast in casts.values()),
        start_in_range(typed["started_at"], delivered.ahead),
        end_in_range(typed["ended_at"]),
        in_order(typed["started_at"], typed["ended_at"]),
        refused(is_negative, "bad_count"),
    )


def _is_nobody(typed: pl.DataFrame) -> pl.Series:
    """What nobody used is idle by itself, whatever the answer calls it."""
    names = (pl.col(name).str.contains(_NOBODY) for name in ("name", "workload"))
    return typed.select(pl.any_horizontal(names).fill_null(value=False).alias("is_nobody"))["is_nobody"]
