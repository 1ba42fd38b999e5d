"""Azure cost details, of enterprise agreements and customer agreements: actual or amortised, CSV or Parquet.

Reference: Microsoft, Cost Management: Understand usage details fields; Usage details of EA and MCA.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Final, Literal

import polars as pl

from warehouse.sources.billing.charge_reader import Shaped, float_flags, read_bill
from warehouse.sources.billing.native_mapping import blank_cells, charge_cells, native_layout, product
from warehouse.sources.casts.casts import null_if
from warehouse.sources.casts.decimals import money
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch, batches
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

View = Literal["actual", "amortized"]
COST: Final = ("CostInBillingCurrency", "Cost")
CURRENCY: Final = ("BillingCurrency", "BillingCurrencyCode")
NAMES: Final = {
    "billing_account_id": ("BillingAccountId",),
    "billing_period_start": ("BillingPeriodStartDate",),
    "billing_period_end": ("BillingPeriodEndDate",),
    "charge_start": ("Date",),
    "charge_type": ("ChargeType",),
    "pricing_model": ("PricingModel",),
    "invoice_id": ("InvoiceId",),
    "sub_account_id": ("SubscriptionId",),
    "service_name": ("MeterCategory",),
    "sku_id": ("MeterId",),
    "resource_id": ("ResourceId", "InstanceId"),
    "resource_name": ("ResourceName",),
    "region": ("ResourceLocation",),
    "product_name": ("ProductName", "Product"),
    "meter_name": ("MeterName",),
    "tags": ("Tags",),
    "additional_info": ("AdditionalInfo",),
    "currency": CURRENCY,
    "billed_cost": COST,
    "pay_as_you_go_price": ("PayGPrice",),
    "unit_price": ("UnitPrice",),
    "quantity": ("Quantity",),
    "unit": ("UnitOfMeasure",),
    "reservation_id": ("ReservationId",),
    "benefit_id": ("BenefitId",),
}
REQUIRED: Final = tuple(
    (name,)
    for name in ("billed_cost", "currency", "charge_start", "billing_period_start", "billing_period_end", "charge_type")
)
_VIEW: Final = re.compile(r"(?<![a-z])(actual|amorti[sz]ed)", re.IGNORECASE)
_CATEGORIES: Final = {
    "usage": "Usage",
    "purchase": "Purchase",
    "tax": "Tax",
    **dict.fromkeys(("refund", "roundingadjustment"), "Adjustment"),
    **dict.fromkeys(("unusedreservation", "unusedsavingsplan"), "Usage"),
}
_COMMITTED: Final = ("reservation", "savingsplan")
_HOURS: Final = r"(?i)^\s*(\d*)\s*hours?\s*$"
_NUMBERED: Final = r"^(\d{1,2})/(\d{1,2})/(\d{4})$"
_DAY: Final = "1d"
_DATES: Final = ("charge_start", "billing_period_start", "billing_period_end")
_MONTHS: Final = 12


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of one view of the costs.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches; day_first.
    """
    wanted = layout(source)
    _refuse_day_first(delivered, wanted)
    view = cost_view(delivered, wanted)
    read = read_bill(delivered, source, wanted, partial(_shaped, view=view))
    return replace(read, derived_totals=frozenset({"effective_cost" if view == "actual" else "billed_cost"}))


def layout(source: Source) -> Layout:
    """The columns of either agreement, whatever their case."""
    return native_layout(source, NAMES, REQUIRED)


def cost_view(delivered: Delivered, layout: Layout) -> View:
    """Which view of the money a file is: as its path says, else amortised where a commitment's use has a cost."""
    named = _VIEW.findall(delivered.file)
    if named:
        return "actual" if named[-1].lower() == "actual" else "amortized"
    names = {name: layout.names[name] for name in ("charge_type", "pricing_model", "billed_cost")}
    for batch in batches(delivered, replace(layout, names=names, required=(), unmapped="dropped")):
        kind = _word(batch.rows["charge_type"])
        has_cost = (money(batch.rows["billed_cost"]).values != 0).fill_null(value=False)
        is_covered = (kind == "usage") & _word(batch.rows["pricing_model"]).is_in(_COMMITTED) & has_cost
        if (kind.str.starts_with("unused") | is_covered).any():
            return "amortized"
    return "actual"


def _refuse_day_first(delivered: Delivered, layout: Layout) -> None:
    """One date that can only be day/month/year tells that all are: 05/11 among them would be another month.

    Raises:
        RejectedFile: day_first.
    """
    names = {name: layout.names[name] for name in _DATES}
    for batch in batches(delivered, replace(layout, names=names, required=(), unmapped="dropped")):
        written = pl.concat([null_if(batch.rows[name]) for name in _DATES]).drop_nulls()
        if not written.str.contains("/", literal=True).any():
            return  # ISO from here on, as the column is written in one way
        parts = written.to_frame("cell").select(pl.col("cell").str.extract_groups(_NUMBERED)).unnest("cell")
        first, second, _ = (pl.col(name).cast(pl.Int64) for name in parts.columns)
        proofs = written.filter(
            parts.select((first > _MONTHS) & (second <= _MONTHS)).to_series().fill_null(value=False)
        )
        if not proofs.is_empty():
            raise RejectedFile(
                "day_first",
                f"{proofs[0]!r} has no month {proofs[0].partition('/')[0]}: the dates are day/month/year, which Azure "
                "does not write; deliver the export as Azure wrote it, with dates as month/day/year or year-month-day",
            )


def _shaped(batch: Batch, view: View) -> Shaped:
    """In the amortised view a commitment's rows are consumed and not billed; in the actual one it is billed at once."""
    rows = batch.rows.with_columns(
        _word(batch.rows["charge_type"]).alias("charge_type"), _word(batch.rows["pricing_model"]).alias("pricing_model")
    )
    kind, is_unused = pl.col("charge_type"), pl.col("charge_type").str.starts_with("unused")
    is_committed = is_unused | pl.col("pricing_model").is_in(_COMMITTED)
    start = _dates(rows["charge_start"])
    cells = charge_cells(
        rows,
        {
            "billing_period_start": _dates(rows["billing_period_start"]),
            "billing_period_end": _day_after(_dates(rows["billing_period_end"])),
            "charge_start": start,
            "charge_end": _day_after(start),
            "charge_category": kind.replace(_CATEGORIES),
            "resource_name": pl.coalesce(_filled("resource_name"), pl.col("resource_id").str.extract(r"([^/]+)/*$")),
            "charge_description": pl.concat_str("product_name", "meter_name", separator=" ", ignore_nulls=True),
            "billed_cost": pl.when(is_committed).then(pl.lit("0")).otherwise("billed_cost")
            if view == "amortized"
            else pl.col("billed_cost"),
            "effective_cost": pl.col("billed_cost"),
            "list_cost": product(rows["pay_as_you_go_price"], rows["quantity"]),
            "contracted_cost": product(rows["unit_price"], rows["quantity"]),
            "consumed_quantity": _in_single_units(rows),
            "consumed_unit": pl.when(pl.col("unit").str.contains(_HOURS)).then(pl.lit("Hours")).otherwise("unit"),
            "commitment_discount_id": pl.coalesce(
                _filled("reservation_id"), _filled("benefit_id"), pl.when(is_committed).then("pricing_model")
            ),
            "commitment_discount_status": pl.when(is_unused)
            .then(pl.lit("Unused"))
            .when((kind == "usage") & is_committed)
            .then(pl.lit("Used")),
            "instance_type": _instance_types(rows),
            "cost_view": pl.lit(view),
        },
    )
    return Shaped(
        cells,
        layers=rows.select("tags"),
        labels=rows.select(),
        others=pl.concat(
            [rows.select("charge_type", "pricing_model", "additional_info"), batch.unmapped], how="horizontal"
        ),
        providers=blank_cells("provider", rows.height),
        flags=float_flags(batch) | {"no_amortised_view" if view == "actual" else "no_actual_view"},
    )


def _word(cells: pl.Series) -> pl.Series:
    """A word of the export as it is compared: without white space and case."""
    return null_if(cells).str.to_lowercase().str.replace_all(r"\s", "")


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name))


def _dates(cells: pl.Series) -> pl.Series:
    """Month/day/year as ISO where the column is written so; what does not agree with its first cell is no date."""
    first = next(iter(null_if(cells).drop_nulls()), "")
    if "/" not in first:
        return cells
    parts = cells.to_frame("cell").select(pl.col("cell").str.strip_chars().str.extract_groups(_NUMBERED)).unnest("cell")
    month, day, year = (pl.col(name) for name in parts.columns)
    iso = pl.concat_str(year, month.str.zfill(2), day.str.zfill(2), separator="-")
    return (
        parts.select(pl.lit(cells).alias("cell"), iso.alias("iso"))
        .select(
            pl.when(pl.col("cell").str.contains("/"))
            .then(pl.coalesce("iso", "cell"))
            .otherwise("not " + pl.col("cell"))
        )
        .to_series()
    )


def _day_after(dates: pl.Series) -> pl.Series:
    """The day after an ISO date; a cell that is none stays, and is refused as what it is."""
    day = dates.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return pl.select(pl.coalesce(day.dt.offset_by(_DAY).dt.to_string("%Y-%m-%d"), dates)).to_series()


def _in_single_units(rows: pl.DataFrame) -> pl.Series:
    """Quantities in hours where the unit is so many hours (`10 Hours`), else as they are."""
    several = rows["unit"].to_frame("unit").select(pl.col("unit").str.extract(_HOURS))["unit"]
    is_plain = (several.is_null() | several.is_in(["", "1"])).all()
    if is_plain:
        return rows["quantity"]
    many = pl.select(pl.when(several != "").then(several).otherwise(pl.lit("1"))).to_series()
    return pl.select(pl.coalesce(product(rows["quantity"], many), rows["quantity"])).to_series()


def _instance_types(rows: pl.DataFrame) -> pl.Series:
    """The size of a virtual machine; licences and software of the same machine are no second one."""
    additional_info = pl.col("additional_info")
    document = (
        pl.when(additional_info.str.strip_chars().str.starts_with("{"))
        .then(additional_info)
        .otherwise("{" + additional_info + "}")
    )
    facts = (
        rows["additional_info"]
        .unique()
        .to_frame()
        .with_columns(
            document.str.json_path_match("$.ServiceType").alias("size"),
            document.str.json_path_match("$.UsageType").alias("use"),
        )
    )
    joined = rows.select("additional_info", "service_name").join(
        facts, on="additional_info", how="left", nulls_equal=True, maintain_order="left"
    )
    beside = pl.col("use").str.contains("(?i)software|disk|network") | pl.col("service_name").str.contains(
        "(?i)licen[cs]e"
    )
    return joined.select(pl.when(~beside.fill_null(value=False)).then("size").alias("instance_type")).to_series()
