"""The columns of FOCUS as the allocated ledger is written in them: FOCUS 1.3 and 1.4, with the model keys of 1.5."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT, MONEY

FOCUS_CHARGES: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "AllocatedMethodDetails": pl.String(),
        "AllocatedMethodId": pl.String(),
        "AllocatedResourceId": pl.String(),
        "AllocatedTags": pl.String(),
        "BilledCost": MONEY,
        "BillingAccountId": pl.String(),
        "BillingCurrency": pl.String(),
        "BillingPeriodEnd": INSTANT,
        "BillingPeriodStart": INSTANT,
        "CapacityReservationStatus": pl.String(),
        "ChargeCategory": pl.String(),
        "ChargeClass": pl.String(),
        "ChargeDescription": pl.String(),
        "ChargePeriodEnd": INSTANT,
        "ChargePeriodStart": INSTANT,
        "CommitmentDiscountId": pl.String(),
        "CommitmentDiscountStatus": pl.String(),
        "ConsumedQuantity": MONEY,
        "ConsumedUnit": pl.String(),
        "ContractedCost": MONEY,
        "EffectiveCost": MONEY,
        "InvoiceId": pl.String(),
        "ListCost": MONEY,
        "RegionId": pl.String(),
        "ResourceId": pl.String(),
        "ResourceName": pl.String(),
        "ServiceName": pl.String(),
        "SkuId": pl.String(),
        "SkuPriceDetails": pl.String(),
        "SubAccountId": pl.String(),
        "Tags": pl.String(),
        "x_ChargeId": pl.String(),
        "x_GpuModel": pl.String(),
        "x_PostingId": pl.String(),
        "x_Rule": pl.String(),
        "x_Source": pl.String(),
    }
)
"""Name and type of each column, in order; costs and quantities are exact decimals, moments are in UTC."""
