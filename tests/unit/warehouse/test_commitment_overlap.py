"""Commitments whose purchase and usage both carry an effective cost: the smaller of the two counts twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.commitment_overlap import commitments_counted_twice
from warehouse.landing.file_cache import insert
from warehouse.schemas.raw import BillDeliveries, ChargeRows

FIRST, DAY = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=1)
USED = {"commitment_discount_id": "sp-1", "commitment_discount_status": "Used"}


def row(day: int, effective: str, **more: Any) -> dict[str, Any]:
    start = FIRST + (day - 1) * DAY
    return {"file_sha256": "f", "location": f"line {day}", "source": "cloud", "content_hash": "c",
            "dimension_hash": "d", "billing_period_start": date(2026, 11, 1), "billing_period_end": date(2026, 12, 1),
            "charge_start": start, "charge_end": start + DAY, "charge_category": "Usage", "tags": "{}",
            "currency": "USD", "resource_id": "vm1", "billed_cost": Decimal(0), "effective_cost": Decimal(effective),
            **more}  # fmt: skip


def found(var: Path, rows: list[dict[str, Any]]) -> list[tuple[str, Decimal | None]]:
    """Commitment and doubtful amount of each finding."""
    connection = connect(var, Limits())
    unit = {"source": "cloud", "billing_account_id": "", "billing_period_start": date(2026, 11, 1), "delivery": "a",
            "file": "a", "file_sha256": "f", "rows": 1, "billed_cost": Decimal(1), "is_current": True, "cost_view": "",
            "is_covered": False}  # fmt: skip
    insert(connection, BillDeliveries, pl.DataFrame([unit], schema=BillDeliveries.polars_schema()))
    filled = [{name: one.get(name) for name in ChargeRows.columns()} for one in rows]
    insert(connection, ChargeRows, pl.DataFrame(filled, schema=ChargeRows.polars_schema()))
    findings = [finding for _, finding in commitments_counted_twice(connection, date(2026, 11, 20))]
    connection.close()
    return [(finding.subject, finding.amount) for finding in findings]


@pytest.mark.parametrize("named", [{"commitment_discount_id": "sp-1"}, {"resource_id": "sp-1"}])
def test_a_purchase_with_an_effective_cost_counts_twice_what_its_usage_carries(
    tmp_path: Path, named: dict[str, str]
) -> None:
    """3000 for the month, of which 20 days of usage carry 100 each; some name the commitment as what is bought."""
    purchase = row(1, "3000", charge_category="Purchase", **named)
    assert found(tmp_path, [purchase, *(row(day, "100", **USED) for day in range(1, 21))]) == [("sp-1", Decimal(2000))]


def test_a_purchase_of_something_else_counts_once(tmp_path: Path) -> None:
    purchase = row(1, "3000", charge_category="Purchase", resource_id="licence-7")
    assert found(tmp_path, [purchase, row(1, "100", **USED)]) == []
