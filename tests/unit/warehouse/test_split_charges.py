"""Charges beside the provider's split of them are named, and only those."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.file_cache import insert
from warehouse.landing.split_cost_overlap import double_billed
from warehouse.schemas.raw import BillDeliveries, ChargeRows

TEN, ELEVEN, TWELVE = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (10, 11, 12))
MIDNIGHT, DAY = datetime(2026, 11, 20, tzinfo=UTC), timedelta(days=1)


def row(cost: str, method: str | None = None, **more: Any) -> dict[str, Any]:
    return {"file_sha256": "f", "location": "line 2", "source": "cloud", "content_hash": "c", "dimension_hash": "d",
            "billing_period_start": date(2026, 11, 1), "billing_period_end": date(2026, 12, 1), "charge_start": TEN,
            "charge_end": ELEVEN, "charge_category": "Usage", "tags": "{}", "currency": "USD", "resource_id": "node-1",
            "billed_cost": Decimal(cost), "effective_cost": Decimal(cost), "allocated_method_id": method,
            **more}  # fmt: skip


def found(var: Path, rows: list[dict[str, Any]], **unit: Any) -> list[tuple[str | None, int, Decimal | None]]:
    """Resource, charges and doubtful amount of each finding."""
    connection = connect(var, Limits())
    units = {"source": "cloud", "billing_account_id": "", "billing_period_start": date(2026, 11, 1), "delivery": "a",
             "file": "a", "file_sha256": "f", "rows": 1, "billed_cost": Decimal(1), "is_current": True, "cost_view": "",
             "is_covered": False}  # fmt: skip
    insert(connection, BillDeliveries, pl.DataFrame([units | unit], schema=BillDeliveries.polars_schema()))
    filled = [{name: one.get(name) for name in ChargeRows.columns()} for one in rows]
    insert(connection, ChargeRows, pl.DataFrame(filled, schema=ChargeRows.polars_schema()))
    findings = [finding for _, finding in double_billed(connection, date(2026, 11, 20))]
    connection.close()
    assert {finding.kind for finding in findings} <= {"double_billed"}
    return [(finding.subject, finding.rows, finding.amount) for finding in findings]


SPLIT = [row("6", "pods", sku_id="vm"), row("4", "pods", sku_id="vm")]
WHOLE = row("10", sku_id="vm")


@pytest.mark.parametrize(
    ("origin", "amount"),
    [
        ([WHOLE], 10),
        ([row("9", sku_id="vm")], 9),  # another sum: what stands twice is the smaller of the two
        ([row("16", sku_id="vm")], 10),  # a split of what was used only: 10 of the 16
        ([row("240", sku_id="vm", charge_start=MIDNIGHT, charge_end=MIDNIGHT + DAY)], 10),  # a day's bill: 10 an hour
        ([row("10", sku_id="host", consumed_unit="Hours")], 10),  # another SKU, counted in hours
        ([WHOLE, row("-3", sku_id="vm", charge_category="Adjustment")], 7),  # taken back in part
    ],
)
def test_a_charge_beside_its_split_is_in_doubt_whatever_the_sums_and_cuts(
    tmp_path: Path, origin: list[dict[str, Any]], amount: int
) -> None:
    assert found(tmp_path, [*SPLIT, *origin]) == [("node-1", 1, Decimal(amount))]


@pytest.mark.parametrize(
    ("rows", "unit"),
    [
        (SPLIT, {}),
        ([*SPLIT, row("10", sku_id="vm", resource_id="node-2")], {}),
        ([*SPLIT, row("10", sku_id="vm", charge_start=ELEVEN, charge_end=TWELVE)], {}),
        ([*SPLIT, row("10", sku_id="disk", consumed_unit="GB-Mo")], {}),
        ([*SPLIT, WHOLE, row("-10", sku_id="vm", charge_category="Adjustment")], {}),  # taken back whole
        ([*SPLIT, WHOLE], {"is_current": False}),
    ],
)
def test_a_split_alone_another_charge_and_a_replaced_delivery_are_no_finding(
    tmp_path: Path, rows: list[dict[str, Any]], unit: dict[str, Any]
) -> None:
    assert found(tmp_path, rows, **unit) == []


def test_ids_that_differ_in_case_name_one_host(tmp_path: Path) -> None:
    assert found(tmp_path, [*SPLIT, row("10", sku_id="vm", resource_id="NODE-1")]) == [("NODE-1", 1, Decimal(10))]


def test_a_host_without_an_id_is_known_by_its_name(tmp_path: Path) -> None:
    named = {"resource_id": None, "resource_name": "node-1"}
    rows = [row("40", **named), row("20", "m", **named), row("20", "m", **named)]
    assert found(tmp_path, rows) == [("node-1", 1, Decimal(40))]
