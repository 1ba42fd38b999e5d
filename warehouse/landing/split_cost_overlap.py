"""Charges that stand beside the provider's own split of them: both count, and one of the two is too many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import duckdb

from warehouse.schemas.findings import Finding
from warehouse.schemas.raw import BillDeliveries, ChargeRows

# FOCUS 1.3: the rows of a split take the place of their origin, which is known by its id, else by its name. Both are
# spread over the hours of the resource, so that they meet whatever their sums and however they are cut. Traffic and
# storage of a host are no origin of its split: another SKU is one only where it is counted in hours. Case tells
# no two resources apart: Azure writes ids in several. Credits and corrections of the origin take it back.
_BESIDE: Final = f"""
    WITH split_resources AS (
        SELECT DISTINCT source, lower(coalesce(resource_id, resource_name)) AS resource FROM {ChargeRows.qualified()}
        WHERE allocated_method_id IS NOT NULL AND coalesce(resource_id, resource_name) IS NOT NULL
    ), named AS (
        SELECT *, coalesce(resource_id, resource_name) AS written, lower(written) AS resource
        FROM {ChargeRows.qualified()}
    ), current AS (
        SELECT charge.source, resource, sku_id, currency, charge_start,
            greatest(charge_end, charge_start + INTERVAL 1 SECOND) AS charge_end, effective_cost::DOUBLE AS cost,
            allocated_method_id IS NOT NULL AS is_split, lower(consumed_unit) LIKE '%hour%' AS is_timed
        FROM named AS charge SEMI JOIN split_resources USING (source, resource)
            JOIN {BillDeliveries.qualified()} AS unit USING (source, file_sha256, billing_period_start)
        WHERE unit.is_current AND coalesce(charge.billing_account_id, '') = unit.billing_account_id
            AND charge_start < $night_end AND effective_cost <> 0
            AND (charge_category = 'Usage' OR (effective_cost < 0 AND allocated_method_id IS NULL))
    ), split_skus AS (
        SELECT DISTINCT source, resource, sku_id FROM current WHERE is_split
    ), suspects AS (
        SELECT * FROM current WHERE is_split OR is_timed OR sku_id IS NULL OR EXISTS (
            SELECT 1 FROM split_skus WHERE split_skus.source = current.source
                AND split_skus.resource = current.resource
                AND coalesce(split_skus.sku_id, current.sku_id) = current.sku_id
        )
    ), alike AS (
        SELECT source, resource, currency, charge_start, charge_end, is_split, count(*) FILTER (cost > 0) AS charges,
            sum(cost) AS cost
        FROM suspects GROUP BY ALL
    ), hours AS (
        SELECT source, resource, currency, is_split, charges, cost, charge_start, charge_end,
            unnest(generate_series(date_trunc('hour', charge_start), charge_end - INTERVAL 1 MICROSECOND,
                INTERVAL 1 HOUR)) AS hour
        FROM alike
    ), shares AS (
        SELECT source, resource, currency, hour, is_split, sum(cost
            * epoch(least(charge_end, hour + INTERVAL 1 HOUR) - greatest(charge_start, hour))
            / epoch(charge_end - charge_start)) AS cost
        FROM hours GROUP BY ALL
    ), repeated AS (
        SELECT origin.source, origin.resource, origin.currency, origin.hour, least(origin.cost, part.cost) AS cost
        FROM shares AS origin JOIN shares AS part USING (source, resource, currency, hour)
        WHERE NOT origin.is_split AND part.is_split AND least(origin.cost, part.cost) > 0
    ), months AS (
        SELECT source, resource, currency, date_trunc('month', hour) AS month, min(hour)::DATE AS first,
            max(hour)::DATE AS last, sum(cost) AS cost
        FROM repeated GROUP BY ALL
    )
    SELECT source, (SELECT min(written) FROM named WHERE (named.source, named.resource) = (months.source,
            months.resource)) AS resource, currency, first, last, cost, (
        SELECT sum(charges) FROM alike WHERE NOT is_split AND (alike.source, alike.resource, alike.currency)
            = (months.source, months.resource, months.currency)
            AND alike.charge_start::DATE <= last AND (alike.charge_end - INTERVAL 1 MICROSECOND)::DATE >= first
    )::BIGINT
    FROM months ORDER BY ALL
"""
PLACES: Final = Decimal("0.000001")


def double_billed(connection: duckdb.DuckDBPyConnection, night: date) -> Iterator[tuple[str, Finding]]:
    """One finding for each resource and month with charges that are billed whole and split, with what counts twice."""
    any_split = f"SELECT 1 FROM {ChargeRows.qualified()} WHERE allocated_method_id IS NOT NULL LIMIT 1"
    if not connection.execute(any_split).fetchall():
        return
    rows = connection.execute(_BESIDE, {"night_end": night + timedelta(days=1)}).fetchall()
    for source, resource, currency, first, last, cost, charges in rows:
        amount = Decimal(cost).quantize(PLACES)
        yield (
            source,
            Finding("double_billed", resource, charges, None, amount, currency, day_from=first, day_to=last),
        )
