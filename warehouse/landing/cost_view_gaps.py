"""What one view of a bill holds and the other lacks: only the actual view counts then, and the rest is in no ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import duckdb

from warehouse.schemas.findings import Finding
from warehouse.schemas.raw import BillDeliveries, ChargeRows

# What no commitment covers costs the same in both views, by account below the payer and day.
_GAPS: Final = f"""
    WITH doubled AS (
        SELECT billing_account_id AS account, billing_period_start FROM {BillDeliveries.qualified()}
        WHERE is_current AND cost_view <> '' GROUP BY ALL HAVING count(DISTINCT cost_view) > 1
    ), days AS (
        SELECT account, billing_period_start, coalesce(sub_account_id, '') AS sub_account, currency,
            charge_start::DATE AS day, max(charge.source) FILTER (charge.cost_view = 'amortized') AS source,
            count(*) FILTER (charge.cost_view = 'amortized') AS told,
            coalesce(sum(charge.effective_cost) FILTER (charge.cost_view = 'amortized'), 0) AS amortised,
            coalesce(sum(charge.billed_cost) FILTER (charge.cost_view = 'actual'), 0) AS actual
        FROM {ChargeRows.qualified()} AS charge JOIN {BillDeliveries.qualified()} AS unit
            USING (source, file_sha256, billing_period_start) JOIN doubled USING (billing_period_start)
        WHERE unit.is_current AND unit.billing_account_id = account AND charge.cost_view IS NOT NULL
            AND coalesce(charge.billing_account_id, '') = account AND commitment_discount_status IS NULL
            AND commitment_discount_id IS NULL AND charge_start < $night_end
        GROUP BY ALL
    )
    SELECT source, account, currency, sum(told)::BIGINT, sum(amortised - actual)::DECIMAL(38, 12), min(day), max(day)
    FROM days WHERE amortised - actual > greatest(0.01, 0.01 * amortised)
    GROUP BY source, account, currency, billing_period_start ORDER BY ALL
"""


def cost_view_gaps(connection: duckdb.DuckDBPyConnection, night: date) -> Iterator[tuple[str, Finding]]:
    """One finding for each account, month and currency in which the actual view lacks money of the amortised one."""
    rows = connection.execute(_GAPS, {"night_end": night + timedelta(days=1)}).fetchall()
    for source, account, currency, count, amount, first, last in rows:
        yield (
            source,
            Finding("views_differ", account, count, None, amount, currency, day_from=first, day_to=last),
        )
