"""FOCUS, the open format of cloud bills, 1.0 to 1.4: told apart by the columns that are there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from warehouse.sources.billing.charge_casts import CELLS
from warehouse.sources.billing.charge_reader import CUSTOM, Shaped, float_flags, read_bill
from warehouse.sources.billing.focus_data_sets import other_data_set
from warehouse.sources.billing.tags import json_objects
from warehouse.sources.casts.casts import TEXT_NULLS, null_if
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

NAMES: Final = {
    "billing_account_id": "BillingAccountId",
    "billing_period_start": "BillingPeriodStart",
    "billing_period_end": "BillingPeriodEnd",
    "charge_start": "ChargePeriodStart",
    "charge_end": "ChargePeriodEnd",
    "charge_category": "ChargeCategory",
    "charge_class": "ChargeClass",
    "invoice_id": "InvoiceId",
    "sub_account_id": "SubAccountId",
    "service_name": "ServiceName",
    "sku_id": "SkuId",
    "resource_id": "ResourceId",
    "resource_name": "ResourceName",
    "region": "RegionId",
    "charge_description": "ChargeDescription",
    "tags": "Tags",
    "currency": "BillingCurrency",
    "billed_cost": "BilledCost",
    "effective_cost": "EffectiveCost",
    "list_cost": "ListCost",
    "contracted_cost": "ContractedCost",
    "consumed_quantity": "ConsumedQuantity",
    "consumed_unit": "ConsumedUnit",
    "commitment_discount_id": "CommitmentDiscountId",
    "commitment_discount_status": "CommitmentDiscountStatus",
    "capacity_reservation_status": "CapacityReservationStatus",
    "sku_price_details": "SkuPriceDetails",
    "allocated_method_id": "AllocatedMethodId",
    "allocated_resource_id": "AllocatedResourceId",
    "allocated_tags": "AllocatedTags",
}
REQUIRED: Final = (
    "billed_cost",
    "effective_cost",
    "currency",
    "billing_period_start",
    "billing_period_end",
    "charge_start",
    "charge_end",
    "charge_category",
)
_FIRST_IN: Final = (
    ("1.4", {"invoicedetailid", "commitmentprogrameligibilitydetails"}),
    ("1.3", {"allocatedmethodid", "allocatedtags", "serviceprovidername", "hostprovidername", "contractapplied"}),
    ("1.2", {"invoiceid", "billingaccounttype", "subaccounttype", "pricingcurrency"}),
    ("1.1", {"capacityreservationid", "skumeter", "skupricedetails", "servicesubcategory"}),
)
"""Columns that a version was the first to have, newest first."""

_GIVEN: Final = {*NAMES, "instance_type", "gpus_per_unit"}
_TIME: Final = "(?:hours?|hrs?|h|days?|minutes?|mins?|seconds?|secs?|s)$"
_NUMBER: Final = r"^[0-9]+(?:\.[0-9]+)?$"


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of a Cost and Usage file; of the other data sets, what they state of invoices.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    try:
        return read_bill(delivered, source, layout(source), _shaped)
    except RejectedFile as rejected:
        other = other_data_set(delivered, source) if rejected.reason == "missing_column" else None
        if other is None:
            raise
        return other


def version(columns: Collection[str]) -> str | None:
    """The version of FOCUS whose columns a file of charges has, given in small letters; None for other data sets."""
    if "chargecategory" not in columns:
        return None
    return next((version for version, names in _FIRST_IN if not names.isdisjoint(columns)), "1.0")


def layout(source: Source) -> Layout:
    """FOCUS columns by their own names, unless the settings say that a file calls one otherwise."""
    names = {canonical: (source.columns.get(canonical, name),) for canonical, name in NAMES.items()}
    return Layout(
        names,
        tuple((column,) for column in REQUIRED),
        source.constants,
        unmapped="kept",
        last_line="any" if source.options.get("final_newline") == "optional" else "ended",
    )


def _shaped(batch: Batch) -> Shaped:
    unmapped = batch.unmapped
    custom = [name for name in unmapped.columns if name.casefold().startswith(CUSTOM)]
    details = json_objects(batch.rows["sku_price_details"]).values
    rows = batch.rows.with_columns(
        details.fill_null(batch.rows["sku_price_details"]).alias("sku_price_details"),
        null_if(batch.rows["resource_name"], TEXT_NULLS).alias("resource_name"),
    )
    detail_members = _details(rows["sku_price_details"])
    cells = (
        rows.join(detail_members, on="sku_price_details", how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            details.alias("sku_price_details"),
            pl.coalesce("resource_name", "allocated_resource_id").alias("resource_name"),
            _gpus_per_unit().alias("gpus_per_unit"),
        )
        .with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in CELLS if name not in _GIVEN)
    )
    return Shaped(
        cells,
        layers=rows.select("tags", "allocated_tags"),
        labels=unmapped.select(custom),
        others=pl.concat(
            [rows.select("sku_price_details", "allocated_resource_id"), unmapped.drop(custom)], how="horizontal"
        ),
        providers=_providers(unmapped, batch.rows.height),
        flags=float_flags(batch),
    )


def _details(documents: pl.Series) -> pl.DataFrame:
    """Instance type and GPUs of each document that the column holds; most rows of a bill share a few."""
    document = pl.col("sku_price_details")
    return (
        documents.unique()
        .to_frame("sku_price_details")
        .with_columns(
            document.str.json_path_match("$.InstanceType").alias("instance_type"),
            document.str.json_path_match("$.GpuCount").alias("gpu_count"),
        )
    )


def _providers(unmapped: pl.DataFrame, height: int) -> pl.Series:
    """Who bills each row: 1.3 and later call it the service provider."""
    named = [name for name in ("ServiceProviderName", "ProviderName") if name in unmapped.columns]
    return unmapped[named[0]] if named else pl.Series([""]).new_from_index(0, height)


def _gpus_per_unit() -> pl.Expr:
    """GPUs that a consumed unit of time stands for; unknown for any other unit."""
    unit = pl.col("consumed_unit").str.strip_chars().str.to_lowercase()
    gpus = pl.col("gpu_count")
    stated = pl.when(gpus.str.contains(_NUMBER)).then(gpus)
    is_of_gpus = unit.str.contains(f"^gpu[- ]?{_TIME}")
    return pl.when(unit.str.contains(f"^{_TIME}")).then(stated).when(is_of_gpus).then(pl.lit("1"))
