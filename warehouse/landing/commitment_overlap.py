"""Commitments whose purchase and usage both carry an effective cost: what was committed is consumed twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

import duckdb

from warehouse.schemas.findings import Finding
from warehouse.schemas.raw import BillDeliveries, ChargeRows

# FOCUS: a purchase that covers later usage has an effective cost of 0, and the usage carries it. What a recurring fee
# says of its unused part is a cost of its own. Some purchases name the commitment as the resource that is bought. Where
# a provider sends two views of the same money staging joins them.
_MONTHS: Final = f"""
    WITH commitments AS (
        SELECT DISTINCT source, commitment_discount_id AS resource_id, commitment_discount_id AS bought
        FROM {ChargeRows.qualified()} WHERE commitment_discount_id IS NOT NULL
    ), costs AS (
        SELECT charge.source, coalesce(commitment_discount_id, bought) AS commitment, currency,
            date_trunc('month', charge_start)::DATE AS month, charge_category = 'Purchase' AS is_purchase,
            effective_cost, charge_start::DATE AS day
        FROM {ChargeRows.qualified()} AS charge JOIN {BillDeliveries.qualified()} AS unit
            USING (source, file_sha256, billing_period_start)
            LEFT JOIN commitments ON charge.charge_category = 'Purchase' AND commitments.source = charge.source
                AND commitments.resource_id = charge.resource_id
        WHERE unit.is_current AND coalesce(charge.billing_account_id, '') = unit.billing_account_id
            AND coalesce(commitment_discount_id, bought) IS NOT NULL AND charge_start < $night_end
            AND effective_cost <> 0 AND charge_category IN ('Purchase', 'Usage')
            AND commitment_discount_status IS DISTINCT FROM 'Unused' AND charge.cost_view IS NULL
    )
    SELECT source, commitment, currency, month,
        coalesce(sum(effective_cost) FILTER (is_purchase), 0)::DECIMAL(38, 12) AS purchased,
        coalesce(sum(effective_cost) FILTER (NOT is_purchase), 0)::DECIMAL(38, 12) AS used,
        count(*) FILTER (is_purchase) AS purchases, min(day), max(day)
    FROM costs GROUP BY ALL
    HAVING (source, commitment, currency) IN (SELECT (source, commitment, currency) FROM costs WHERE is_purchase)
    ORDER BY source, commitment, currency, month
"""


def commitments_counted_twice(connection: duckdb.DuckDBPyConnection, night: date) -> Iterator[tuple[str, Finding]]:
    """One finding for each commitment and month of usage whose effective cost its purchase carries already.

    A purchase stands for later months too, until the usage has used it up.
    """
    rows = connection.execute(_MONTHS, {"night_end": night + timedelta(days=1)}).fetchall()
    for (source, commitment, currency), months in groupby(rows, key=lambda row: row[:3]):
        left, purchases = Decimal(0), 0
        for _, _, _, _, purchased, used, bought, first, last in months:
            left, purchases = left + purchased, purchases + bought
            amount = max(min(left, used), Decimal(0))
            left -= amount
            if amount:
                yield (
                    source,
                    Finding(
                        "commitment_counted_twice", commitment, purchases, None, amount, currency,
                        day_from=first, day_to=last,
                    ),
                )  # fmt: skip
