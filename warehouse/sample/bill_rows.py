"""The plan's purchases as rows of a FOCUS 1.2 bill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from warehouse.sample.company import HOUR, Company, Line, Provider, Supply, next_month
from warehouse.sample.supply import SERVICES

GPUS_PER_NODE: Final = 8
COLUMNS: Final = (
    "ProviderName", "PublisherName", "InvoiceIssuerName", "InvoiceId", "BillingAccountId", "BillingAccountName",
    "SubAccountId", "SubAccountName", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "BilledCost", "EffectiveCost", "ListCost",
    "ContractedCost", "PricingCategory", "PricingQuantity", "PricingUnit", "BillingCurrency", "ConsumedQuantity",
    "ConsumedUnit", "ServiceName", "ServiceCategory", "SkuId", "SkuPriceId", "SkuPriceDetails", "ResourceId",
    "ResourceName", "ResourceType", "RegionId", "CommitmentDiscountId", "CommitmentDiscountCategory",
    "CommitmentDiscountType", "CommitmentDiscountStatus", "Tags",
)  # fmt: skip
Row = dict[str, str]


def bill_rows(company: Company, provider: Provider) -> list[Row]:
    """Every row of one provider's bills, by billing period and start."""
    ours = [supply for supply in company.supplies if supply.provider == provider.name]
    rows = [
        *(row for number, supply in enumerate(ours) for row in _gpus(provider, supply, number)),
        *(row for line in company.lines if line.provider == provider.name for row in _line(provider, line)),
    ]
    open_month = month_of(company.end)
    return [
        row | {"InvoiceId": _invoice(provider, row["BillingPeriodStart"], open_month)}
        for row in sorted(
            rows, key=lambda row: (row["BillingPeriodStart"], row["ChargePeriodStart"], row.get("ResourceId", ""))
        )
    ]


def month_of(moment: datetime | date) -> str:
    """`2026-10`."""
    return f"{moment:%Y-%m}"


def instance_type(supply: Supply) -> str:
    """The provider's name for a node of eight."""
    return f"{supply.provider[:2]}.{supply.gpu_model.lower()}.{GPUS_PER_NODE}"


def plain(amount: Decimal) -> str:
    """Without exponent and trailing zeros."""
    return f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"


def _stamp(moment: datetime | date) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _invoice(provider: Provider, period: str, open_month: str) -> str:
    """Closed months have an invoice, the open one has none yet."""
    return "" if period.startswith(open_month) else f"{provider.account}-{period[:7]}"


def _shared_columns(provider: Provider, start: datetime, end: datetime, month: date) -> Row:
    return {
        "ProviderName": provider.title,
        "PublisherName": provider.title,
        "InvoiceIssuerName": provider.title,
        "BillingAccountId": provider.account,
        "BillingAccountName": "Quillmere AI",
        "SubAccountId": f"{provider.account}-ml",
        "SubAccountName": "machine-learning",
        "BillingPeriodStart": _stamp(month),
        "BillingPeriodEnd": _stamp(next_month(month)),
        "ChargePeriodStart": _stamp(start),
        "ChargePeriodEnd": _stamp(end),
        "BillingCurrency": provider.currency,
        "RegionId": provider.region,
    }


def _gpus(provider: Provider, supply: Supply, number: int) -> Iterator[Row]:
    """One row for each block of nodes and interval; `number` tells supplies of one pool and day apart."""
    for start, end in supply.intervals():
        for block in range(supply.gpus // supply.gpus_per_row):
            yield _block(provider, supply, f"{number:02d}{block:02d}", start, end)


def _block(provider: Provider, supply: Supply, block: str, start: datetime, end: datetime) -> Row:
    node_hours = supply.gpus_per_row // GPUS_PER_NODE * round((end - start) / HOUR)
    cost = supply.rate * node_hours * GPUS_PER_NODE
    lot = f"{supply.pool_id}-{supply.first:%y%m%d}-{block}"
    return {
        **_shared_columns(provider, start, end, start.date().replace(day=1)),
        **_node_columns(supply, node_hours),
        **(_commitment_columns(supply) if supply.commitment else {}),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "BilledCost": "0" if supply.commitment else plain(cost),
        "EffectiveCost": plain(cost),
        "ListCost": plain(supply.list_rate * node_hours * GPUS_PER_NODE),
        "ContractedCost": plain(cost),
        "ServiceName": SERVICES[provider.name],
        "ServiceCategory": "Compute",
        "ResourceId": f"{provider.name}:lot/{lot}",
        "ResourceName": lot,
        "ResourceType": "GPU nodes",
        "Tags": json.dumps({"env": "prod", "pool": supply.pool_id}),
    }


def _node_columns(supply: Supply, node_hours: int) -> Row:
    """What was priced and consumed."""
    kind = instance_type(supply)
    return {
        "ChargeDescription": f"{GPUS_PER_NODE} x {supply.gpu_model} node, per hour",
        "PricingCategory": "Committed" if supply.commitment else "Standard",
        "PricingQuantity": str(node_hours),
        "PricingUnit": "Hours",
        "ConsumedQuantity": str(node_hours),
        "ConsumedUnit": "Hours",
        "SkuId": f"SKU-{kind}",
        "SkuPriceId": f"SKU-{kind}-{'committed' if supply.commitment else 'on-demand'}",
        "SkuPriceDetails": json.dumps({"InstanceType": kind, "GpuCount": GPUS_PER_NODE}),
    }


def _commitment_columns(supply: Supply) -> Row:
    return {
        "CommitmentDiscountId": supply.commitment,
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountType": "Reservation",
        "CommitmentDiscountStatus": "Used",
    }


def _line(provider: Provider, line: Line) -> Iterator[Row]:
    """One row for each interval of a line."""
    for start, end in line.intervals():
        unused = line.account == "commitment_unused"
        tags = {"pool": line.pool_id} if line.pool_id else {"team": "platform"} if line.account == "shared" else {}
        yield {
            **_shared_columns(provider, start, end, line.billed_in or start.date().replace(day=1)),
            "ChargeCategory": line.category,
            "ChargeClass": line.charge_class,
            "ChargeDescription": line.description,
            "ChargeFrequency": "Recurring" if line.category == "Purchase" else "Usage-Based",
            "BilledCost": plain(line.amount),
            "EffectiveCost": plain(line.effective_amount()),
            "ListCost": plain(line.amount),
            "ContractedCost": plain(line.amount),
            "ServiceName": line.service,
            "ServiceCategory": "Compute" if line.pool_id else "Other",
            "CommitmentDiscountId": line.commitment,
            "CommitmentDiscountStatus": "Unused" if unused else "",
            "Tags": json.dumps(tags) if tags else "",
        }
