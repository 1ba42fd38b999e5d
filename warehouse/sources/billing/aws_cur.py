"""AWS Cost and Usage Reports: the legacy report (`group/Name`) and CUR 2.0 (snake_case), CSV or Parquet.

Reference: AWS, Data Exports user guide: Cost and Usage Report 2.0 table dictionary; split cost allocation data.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

import polars as pl

from warehouse.sources.billing.aws_split_costs import SplitCosts, identity, split_costs
from warehouse.sources.billing.charge_reader import Shaped, float_flags, read_bill
from warehouse.sources.billing.native_mapping import blank_cells, charge_cells, native_layout, totals
from warehouse.sources.casts.casts import TEXT_NULLS, null_if
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

NAMES: Final = {
    "line_item_id": ("identity_line_item_id", "identity/LineItemId"),
    "time_interval": ("identity_time_interval", "identity/TimeInterval"),
    "billing_account_id": ("bill_payer_account_id", "bill/PayerAccountId"),
    "billing_period_start": ("bill_billing_period_start_date", "bill/BillingPeriodStartDate"),
    "billing_period_end": ("bill_billing_period_end_date", "bill/BillingPeriodEndDate"),
    "invoice_id": ("bill_invoice_id", "bill/InvoiceId"),
    "sub_account_id": ("line_item_usage_account_id", "lineItem/UsageAccountId"),
    "line_item_type": ("line_item_line_item_type", "lineItem/LineItemType"),
    "charge_start": ("line_item_usage_start_date", "lineItem/UsageStartDate"),
    "charge_end": ("line_item_usage_end_date", "lineItem/UsageEndDate"),
    "service_name": ("line_item_product_code", "lineItem/ProductCode"),
    "sku_id": ("line_item_usage_type", "lineItem/UsageType"),
    "resource_id": ("line_item_resource_id", "lineItem/ResourceId"),
    "charge_description": ("line_item_line_item_description", "lineItem/LineItemDescription"),
    "zone": ("line_item_availability_zone", "lineItem/AvailabilityZone"),
    "usage_region": ("product_region_code", "product/regionCode", "product_region", "product/region"),
    "product_instance_type": ("product_instance_type", "product/instanceType"),
    "currency": ("line_item_currency_code", "lineItem/CurrencyCode"),
    "billed_cost": ("line_item_unblended_cost", "lineItem/UnblendedCost"),
    "list_cost": ("pricing_public_on_demand_cost", "pricing/publicOnDemandCost"),
    "usage_amount": ("line_item_usage_amount", "lineItem/UsageAmount"),
    "pricing_unit": ("pricing_unit", "pricing/unit"),
    "reservation_arn": ("reservation_reservation_a_r_n", "reservation/ReservationARN"),
    "reservation_cost": ("reservation_effective_cost", "reservation/EffectiveCost"),
    "unused_upfront_fee": (
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    ),
    "unused_recurring_fee": ("reservation_unused_recurring_fee", "reservation/UnusedRecurringFee"),
    "savings_plan_arn": ("savings_plan_savings_plan_a_r_n", "savingsPlan/SavingsPlanARN"),
    "savings_plan_cost": ("savings_plan_savings_plan_effective_cost", "savingsPlan/SavingsPlanEffectiveCost"),
    "commitment_to_date": ("savings_plan_total_commitment_to_date", "savingsPlan/TotalCommitmentToDate"),
    "used_commitment": ("savings_plan_used_commitment", "savingsPlan/UsedCommitment"),
    "split_parent": ("split_line_item_parent_resource_id", "splitLineItem/ParentResourceId"),
    "split_cost": ("split_line_item_split_cost", "splitLineItem/SplitCost"),
    "split_unused_cost": ("split_line_item_unused_cost", "splitLineItem/UnusedCost"),
    "tags": ("resource_tags",),
}
REQUIRED: Final = tuple(
    (name,)
    for name in (
        "line_item_id",
        "time_interval",
        "billed_cost",
        "currency",
        "billing_period_start",
        "billing_period_end",
        "charge_start",
        "charge_end",
        "line_item_type",
    )
)
TAG_COLUMNS: Final = ("resourceTags/", "resource_tags_")
_CATEGORIES: Final = {
    **dict.fromkeys(("Usage", "SavingsPlanCoveredUsage", "DiscountedUsage", "SavingsPlanNegation"), "Usage"),
    **dict.fromkeys(("EdpDiscount", "PrivateRateDiscount", "BundledDiscount"), "Usage"),
    **dict.fromkeys(("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "RIFee", "Fee"), "Purchase"),
    "Tax": "Tax",
    "Credit": "Credit",
    "Refund": "Adjustment",
}
_CONSUMES: Final = ("Usage", "SavingsPlanCoveredUsage", "DiscountedUsage")
_COMMITTED: Final = ("SavingsPlanCoveredUsage", "DiscountedUsage")
_UNUSED: Final = ("SavingsPlanRecurringFee", "RIFee")
# What runs on an instance and names its type: software, volumes and traffic are no GPU time.
_BESIDE: Final = r"(?i)EBSOptimized|SoftwareUsage|DataTransfer|CPUCredits|LoadBalancer|EBS:"
_UNUSED_CAPACITY: Final = r"(?i)(?:^|-)Unused(?:Box|Ded)\w*:"
_CAPACITY: Final = r"(?i)(?:^|-)(?:Reservation|DedicatedRes):"
_TYPE: Final = r":((?:ml\.)?[a-z0-9-]+\.[a-z0-9-]+)$"


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of the report; equal pairs of line item and time interval are one charge.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches.
    """
    wanted = layout(source)
    try:
        return read_bill(delivered, source, wanted, _whole, is_identity_unique=True)
    except _SplitFoundError:
        reading = _split(delivered, source, wanted, frozenset())
        refused = frozenset(reading.refused["location"])
        return _split(delivered, source, wanted, refused) if refused else reading


def _split(delivered: Delivered, source: Source, wanted: Layout, refused: frozenset[str]) -> Reading:
    """The report with the costs of its parts moved; rows that are refused take part in no split."""
    splits = split_costs(delivered, wanted, _is_compute(), refused)
    return read_bill(delivered, source, wanted, partial(_shaped, splits=splits), is_identity_unique=True)


def version(columns: Collection[str]) -> str:
    """Whether a file with these columns, in small letters, is the legacy report."""
    return "legacy" if "identity/lineitemid" in columns else "2.0"


def layout(source: Source) -> Layout:
    """Both spellings of the report."""
    return native_layout(source, NAMES, REQUIRED, is_identified=True, tag_columns=TAG_COLUMNS)


class _SplitFoundError(Exception):
    """A row is a part of another one; what it takes from that is known only after a look at all rows."""


def _whole(batch: Batch) -> Shaped:
    """Rows of a report without split cost allocation, which most reports are: they are read once."""
    if null_if(batch.rows["split_parent"], TEXT_NULLS).is_not_null().any():
        raise _SplitFoundError
    return _shaped(batch, SplitCosts())


def _shaped(batch: Batch, splits: SplitCosts) -> Shaped:
    rows = batch.rows.with_columns(
        null_if(batch.rows["line_item_type"]).str.strip_chars().alias("line_item_type"),
        *(
            null_if(batch.rows[name], TEXT_NULLS).alias(name)
            for name in ("reservation_arn", "savings_plan_arn", "split_parent")
        ),
    )
    kind = pl.col("line_item_type")
    is_compute, is_reserved = _is_compute(), pl.col("sku_id").str.contains(_CAPACITY)
    is_consumed = kind.is_in(_CONSUMES) & pl.col("split_parent").is_null() & ~is_reserved.fill_null(value=False)
    cells = charge_cells(
        rows,
        {
            "charge_category": kind.replace(_CATEGORIES),
            "effective_cost": _effective_cost(rows),
            "region": pl.coalesce(_filled("usage_region"), pl.col("zone").str.extract(r"^(.*\d)[a-z]$")),
            "commitment_discount_id": pl.coalesce("reservation_arn", "savings_plan_arn"),
            "commitment_discount_status": pl.when(kind.is_in(_UNUSED))
            .then(pl.lit("Unused"))
            .when(kind.is_in(_COMMITTED))
            .then(pl.lit("Used")),
            "capacity_reservation_status": pl.when(pl.col("sku_id").str.contains(_UNUSED_CAPACITY)).then(
                pl.lit("Unused")
            ),
            "instance_type": pl.when(is_compute).then(pl.coalesce(_filled("product_instance_type"), _named_type())),
            "consumed_quantity": pl.when(is_consumed).then("usage_amount"),
            "consumed_unit": pl.when(is_consumed).then("pricing_unit"),
        },
    )
    return Shaped(
        splits.moved(cells, rows),
        layers=rows.select("tags"),
        labels=batch.unmapped.rename(_tag_key),
        others=rows.select("line_item_type", "usage_amount"),
        providers=blank_cells("provider", rows.height),
        identity=identity(rows),
        flags=float_flags(batch) | splits.flags,
    )


def _effective_cost(rows: pl.DataFrame) -> pl.Expr:
    """What was consumed: a commitment's fee is what of it nobody used, its covered usage what it was worth."""
    kind = pl.col("line_item_type")
    unused_plan = totals([rows["commitment_to_date"]], [rows["used_commitment"]])
    unused_reservation = totals([rows["unused_upfront_fee"], rows["unused_recurring_fee"]])
    of_commitment = pl.coalesce("reservation_arn", "savings_plan_arn").is_not_null()
    is_paid_ahead = (kind == "SavingsPlanUpfrontFee") | ((kind == "Fee") & of_commitment)
    return (
        pl.when(kind == "SavingsPlanCoveredUsage")
        .then("savings_plan_cost")
        .when(kind == "DiscountedUsage")
        .then("reservation_cost")
        .when((kind == "SavingsPlanNegation") | is_paid_ahead)
        .then(pl.lit("0"))
        .when(kind == "SavingsPlanRecurringFee")
        .then(pl.lit(unused_plan))
        .when(kind == "RIFee")
        .then(pl.lit(unused_reservation))
        .otherwise("billed_cost")
    )


def _is_compute() -> pl.Expr:
    return ~pl.col("sku_id").str.contains(_BESIDE).fill_null(value=False)


def _named_type() -> pl.Expr:
    return pl.col("sku_id").str.extract(_TYPE)


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name))


def _tag_key(column: str) -> str:
    """`resourceTags/user:team` is the tag `user:team`, `resource_tags_user_team` the tag `user_team`."""
    return next(column[len(start) :] for start in TAG_COLUMNS if column.casefold().startswith(start.casefold()))
