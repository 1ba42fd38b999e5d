"""The other data sets of FOCUS: invoice details state totals; commitments and billing periods charge nothing."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.raw import InvoiceTotals
from warehouse.sources.casts.casts import first_reason, key, required
from warehouse.sources.casts.currencies import currency
from warehouse.sources.casts.decimals import money
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.reader_protocol import NOTHING_REFUSED, Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

_CATEGORY: Final = "charge_category"
_INVOICE_DETAIL: Final = Layout(
    {
        "detail_id": ("InvoiceDetailId",),
        "invoice_id": ("InvoiceId",),
        "currency": ("BillingCurrency",),
        "billed_cost": ("BilledCost",),
        _CATEGORY: ("ChargeCategory",),
    },
    (("detail_id",), ("invoice_id",), ("currency",), ("billed_cost",)),
)
_SILENT: Final = tuple(
    Layout({"identity": (name,), _CATEGORY: ("ChargeCategory",)}, (("identity",),))
    for name in ("ContractCommitmentId", "BillingPeriodStatus")
)


def other_data_set(delivered: Delivered, source: Source) -> Reading | None:
    """What the file states if it is one of the other data sets: never a charge. None if it is none of them."""
    read = ((layout, _batches(delivered, layout)) for layout in (_INVOICE_DETAIL, *_SILENT))
    layout, sheets = next(((layout, sheets) for layout, sheets in read if sheets is not None), (None, []))
    if layout is None or any(_CATEGORY in batch.present for batch in sheets):
        return None
    return _invoice_totals(delivered, source, sheets) if layout is _INVOICE_DETAIL else _silent(sheets)


def _batches(delivered: Delivered, layout: Layout) -> list[Batch] | None:
    """The rows of the file, if it has the columns of the layout."""
    try:
        return list(batches(delivered, layout))
    except RejectedFile as rejected:
        if rejected.reason != "missing_column":
            raise
    return None


def _silent(sheets: list[Batch]) -> Reading:
    refused = pl.concat([NOTHING_REFUSED, *(batch.refused for batch in sheets)])
    return Reading(_rows(sheets), {}, refused, sum(batch.blank for batch in sheets))


def _rows(sheets: list[Batch]) -> int:
    return sum(batch.rows.height + batch.refused.height + batch.blank for batch in sheets)


def _invoice_totals(delivered: Delivered, source: Source, sheets: list[Batch]) -> Reading:
    """The sum of an invoice's details is its total."""
    cells = pl.concat([batch.rows for batch in sheets])
    invoices, codes = key(cells["invoice_id"]), currency(cells["currency"])
    costs = required(money(cells["billed_cost"]), "missing_cost")
    reasons = first_reason(invoices.reasons, codes.reasons, costs.reasons)
    details = pl.DataFrame({"invoice_id": invoices.values, "currency": codes.values, "billed_cost": costs.values})
    totals = details.filter(reasons.is_null()).group_by("invoice_id", "currency").agg(pl.col("billed_cost").sum())
    named = totals.with_columns(
        pl.lit(source.name).alias("source"),
        pl.lit(delivered.file).alias("file"),
        pl.lit(delivered.sha256).alias("file_sha256"),
    )
    refused = pl.concat([*(batch.refused for batch in sheets), refusals(cells, reasons)])
    frames = {InvoiceTotals.table_name: InvoiceTotals.frame(named.sort("invoice_id", "currency"))}
    return Reading(_rows(sheets), frames, refused, sum(batch.blank for batch in sheets))
