"""Charges beside the provider's split of them are named, and only those."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.file_cache import insert
from warehouse.landing.split_cost_overlap import beside_their_split
from warehouse.schemas.raw import BillDeliveries, ChargeRows

TEN, ELEVEN = datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 20, 11, tzinfo=UTC)


def row(cost: str, method: str | None = None, **more: Any) -> dict[str, Any]:
    return {"file_sha256": "f", "location": "line 2", "source": "cloud", "content_hash": "c", "dimension_hash": "d",
            "billing_period_start": date(2026, 11, 1), "billing_period_end": date(2026, 12, 1), "charge_start": TEN,
            "charge_end": ELEVEN, "charge_category": "Usage", "tags": "{}", "currency": "USD", "resource_id": "node-1",
            "billed_cost": Decimal(cost), "effective_cost": Decimal(cost), "allocated_method_id": method,
            **more}  # fmt: skip


def found(var: Path, rows: list[dict[str, Any]], **unit: Any) -> list[str]:
    connection = connect(var, Limits())
    units = {"source": "cloud", "billing_account_id": "", "billing_period_start": date(2026, 11, 1), "delivery": "a",
             "file": "a", "file_sha256": "f", "rows": 1, "billed_cost": Decimal(1), "is_current": True}  # fmt: skip
    insert(connection, BillDeliveries, pl.DataFrame([units | unit], schema=BillDeliveries.polars_schema()))
    filled = [{name: one.get(name) for name in ChargeRows.columns()} for one in rows]
    insert(connection, ChargeRows, pl.DataFrame(filled, schema=ChargeRows.polars_schema()))
    sentences = beside_their_split(connection)
    connection.close()
    return sentences


SPLIT = [row("6", "pods"), row("4", "pods")]


def test_a_charge_beside_its_split_is_named_with_its_place(tmp_path: Path) -> None:
    (sentence,) = found(tmp_path, [*SPLIT, row("10", location="line 9")])

    assert sentence.startswith("cloud: 1 charges stand beside the split of them, the first at line 9 for node-1")


@pytest.mark.parametrize(
    ("rows", "unit"),
    [
        (SPLIT, {}),
        ([*SPLIT, row("9")], {}),
        ([*SPLIT, row("10", resource_id="node-2")], {}),
        ([*SPLIT, row("10", charge_end=TEN)], {}),
        ([*SPLIT, row("10", sku_id="disk")], {}),
        ([*SPLIT, row("10")], {"is_current": False}),
    ],
)
def test_a_split_alone_another_charge_and_a_replaced_delivery_are_no_finding(
    tmp_path: Path, rows: list[dict[str, Any]], unit: dict[str, Any]
) -> None:
    assert found(tmp_path, rows, **unit) == []
