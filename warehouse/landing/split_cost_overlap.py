"""Charges that stand beside the provider's own split of them: both count, and one of the two is too many."""

from __future__ import annotations

from typing import Final

import duckdb

from warehouse.schemas.raw import BillDeliveries, ChargeRows

# FOCUS 1.3: the rows of a split take the place of their origin: one sum, and the same resource, time and SKU.
_BESIDE: Final = f"""
    WITH current AS (
        SELECT charge.* FROM {ChargeRows.qualified()} AS charge JOIN {BillDeliveries.qualified()} AS unit
            USING (source, file_sha256, billing_period_start)
        WHERE unit.is_current AND coalesce(charge.billing_account_id, '') = unit.billing_account_id
            AND charge.resource_id IS NOT NULL
    ), splits AS (
        SELECT source, resource_id, charge_start, charge_end, sku_id, currency,
            sum(billed_cost) AS billed_cost, sum(effective_cost) AS effective_cost
        FROM current WHERE allocated_method_id IS NOT NULL GROUP BY ALL
    )
    SELECT origin.source, count(*), min(origin.location), min(origin.resource_id)
    FROM current AS origin JOIN splits USING (
        source, resource_id, charge_start, charge_end, currency, billed_cost, effective_cost
    )
    WHERE origin.allocated_method_id IS NULL AND origin.sku_id IS NOT DISTINCT FROM splits.sku_id
    GROUP BY origin.source ORDER BY origin.source
"""


def beside_their_split(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One sentence for each source with charges that are billed whole and split."""
    return [
        f"{source}: {charges} charges stand beside the split of them, the first at {location} for {resource}: "
        "their cost counts twice; ask for an export with either, or give one of the two to out_of_scope"
        for source, charges, location, resource in connection.execute(_BESIDE).fetchall()
    ]
