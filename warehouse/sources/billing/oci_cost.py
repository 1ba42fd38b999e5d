"""OCI cost reports: one row per resource and hour, CSV.

Reference: Oracle, Billing and Cost Management: Cost and usage reports overview.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.sources.billing.charge_reader import Shaped, float_flags, read_bill
from warehouse.sources.billing.native_mapping import blank_cells, charge_cells, native_layout, totals
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

NAMES: Final = {
    "reference": ("lineItem/referenceNo",),
    "billing_account_id": ("lineItem/tenantId",),
    "charge_start": ("lineItem/intervalUsageStart",),
    "charge_end": ("lineItem/intervalUsageEnd",),
    "service_name": ("product/service",),
    "sub_account_id": ("product/compartmentId",),
    "region": ("product/region",),
    "resource_id": ("product/resourceId",),
    "consumed_quantity": ("usage/billedQuantity",),
    "sku_id": ("cost/productSku",),
    "charge_description": ("product/Description",),
    "billed_cost": ("cost/myCost",),
    "overage": ("cost/myCostOverage",),
    "currency": ("cost/currencyCode",),
    "billing_unit": ("cost/billingUnitReadable",),
    "sku_unit": ("cost/skuUnitDescription",),
    "is_correction": ("lineItem/isCorrection",),
}
REQUIRED: Final = (("reference",), ("charge_start",), ("charge_end",), ("billed_cost",), ("currency",))
TAG_COLUMNS: Final = ("tags/",)
_USAGE_REPORT: Final = (
    "this is the older usage report, which has no cost; let the cost reports (reports/cost-csv/) be delivered instead"
)
_GPU_HOURS: Final = r"(?i)\bGPUS?\b.*\bHOURS?\b|\bHOURS?\b.*\bGPUS?\b"
_INSTANCE_HOURS: Final = r"(?i)\bHOURS? INSTANCE\b"


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of the report.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches; missing_column for the older usage report.
    """
    try:
        return read_bill(delivered, source, layout(source), _shaped)
    except RejectedFile as rejected:
        if rejected.reason == "missing_column" and "cost/" in rejected.detail.partition("found:")[0]:
            has_any_cost = "cost/" in rejected.detail.partition("found:")[2]
            raise rejected if has_any_cost else RejectedFile("missing_column", _USAGE_REPORT) from rejected
        raise


def layout(source: Source) -> Layout:
    """The columns of the cost report; those of tags are found by how their names begin."""
    return native_layout(source, NAMES, REQUIRED, is_identified=True, tag_columns=TAG_COLUMNS)


def _shaped(batch: Batch) -> Shaped:
    rows = batch.rows
    month = pl.col("charge_start").str.slice(0, 7) + "-01"
    units = pl.concat_str("billing_unit", "sku_unit", separator=" | ", ignore_nulls=True)
    cost = totals([rows["billed_cost"], rows["overage"]])
    cells = charge_cells(
        rows,
        {
            "billing_period_start": month,
            "billing_period_end": month.str.to_date("%Y-%m-%d", strict=False)
            .dt.offset_by("1mo")
            .dt.to_string("%Y-%m-%d"),
            "charge_category": pl.lit("Usage"),
            "charge_class": pl.when(pl.col("is_correction").str.to_lowercase() == "true").then(pl.lit("Correction")),
            "billed_cost": cost,
            "effective_cost": cost,
            "consumed_unit": pl.when(units.str.contains(_GPU_HOURS))
            .then(pl.lit("GPU-Hours"))
            .when(pl.col("billing_unit").str.contains(_INSTANCE_HOURS))
            .then(pl.lit("Hours"))
            .otherwise("billing_unit"),
            "instance_type": pl.col("charge_description").str.extract(r"\b((?:BM|VM)\.GPU[\w.-]*)"),
        },
    )
    return Shaped(
        cells,
        layers=blank_cells("tags", rows.height).to_frame(),
        labels=batch.unmapped.rename(lambda column: column.partition("/")[2]),
        others=rows.select("is_correction"),
        providers=blank_cells("provider", rows.height),
        identity=rows["reference"],
        flags=float_flags(batch),
    )
