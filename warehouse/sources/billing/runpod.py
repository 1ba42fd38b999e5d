"""RunPod's billing history of pods: one row per pod and time bucket, CSV or JSON lines.

Reference: RunPod REST API, GET /billing/pods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from warehouse.sources.billing.charge_reader import Shaped, float_flags, read_bill
from warehouse.sources.billing.native_mapping import blank_cells, charge_cells, native_layout
from warehouse.sources.casts.number_casts import size
from warehouse.sources.casts.timestamps import clock_of, instants
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

NAMES: Final = {
    "charge_start": ("time",),
    "resource_id": ("podId",),
    "sku_id": ("gpuTypeId",),
    "billed_ms": ("timeBilledMs",),
    "billed_cost": ("amount",),
    "gpus_per_unit": ("gpuCount",),
    "currency": ("currency",),
}
REQUIRED: Final = (("charge_start",), ("resource_id",), ("billed_ms",), ("billed_cost",))
CURRENCY: Final = "USD"
"""RunPod bills in dollars and says so nowhere in the rows."""

_ISO: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_HOUR_MS: Final = 3_600_000


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of the history.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches; missing_column where it is grouped by GPU type.
    """

    def shaped(batch: Batch) -> Shaped:
        return _shaped(batch, source)

    return read_bill(delivered, source, layout(source), shaped)


def layout(source: Source) -> Layout:
    """The columns of the history; the currency is a constant unless the settings say another."""
    columns = native_layout(source, NAMES, REQUIRED)
    return replace(columns, constants={"currency": CURRENCY, **columns.constants})


def _shaped(batch: Batch, source: Source) -> Shaped:
    rows = batch.rows
    start = instants(rows["charge_start"], clock_of(source)).values
    lasting = size(rows["billed_ms"]).values
    end = start + (lasting * 1000).round().cast(pl.Int64).cast(pl.Duration("us"))
    month = start.dt.truncate("1mo")
    cells = charge_cells(
        rows,
        {
            "charge_end": end.dt.to_string(_ISO),
            "billing_period_start": month.dt.to_string("%Y-%m-%d"),
            "billing_period_end": month.dt.offset_by("1mo").dt.to_string("%Y-%m-%d"),
            "charge_category": pl.lit("Usage"),
            "charge_description": pl.col("sku_id"),
            "effective_cost": pl.col("billed_cost"),
            "service_name": pl.lit("RunPod"),
            "consumed_quantity": lasting / _HOUR_MS,
            "consumed_unit": pl.lit("Hours"),
        },
    )
    return Shaped(
        cells,
        layers=blank_cells("tags", rows.height).to_frame(),
        labels=batch.unmapped.select(pl.nth([])),
        others=batch.unmapped,
        providers=blank_cells("provider", rows.height),
        flags=float_flags(batch),
    )
