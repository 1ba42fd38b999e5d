"""Google Cloud's billing export: nested columns, credits as charges, accelerators as SKUs of their own."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from native_bills import Row, charges, read_file, read_rows

NESTED = {
    "billing_account_id": "0123-4567",
    "service": {"id": "6F81", "description": "Compute Engine"},
    "sku": {"id": "ABCD", "description": "Nvidia H100 80GB GPU running in Iowa"},
    "usage_start_time": "2026-11-20 00:00:00 UTC",
    "usage_end_time": "2026-11-20 01:00:00 UTC",
    "project": {"id": "ml-train", "labels": [{"key": "org", "value": "research"}]},
    "labels": [{"key": "team", "value": "core"}],
    "system_labels": [{"key": "compute.googleapis.com/cores", "value": "208"}],
    "location": {"region": "us-central1"},
    "cost": 80.5,
    "currency": "USD",
    "usage": {"amount": 28800.0, "unit": "seconds"},
    "credits": [{"name": "Sustained use", "amount": -10.25, "type": "SUSTAINED_USAGE_DISCOUNT"}],
    "invoice": {"month": "202611"},
    "cost_type": "regular",
    "export_time": "2026-11-21 04:12:09.123456 UTC",
}
RESOURCE = {"name": "a3-1", "global_name": "//compute.googleapis.com/projects/1/instances/9"}


def as_text(**cells: object) -> Row:
    """The row as CSV holds it: nested columns as JSON text."""
    row = {**NESTED, **cells}
    return {name: json.dumps(cell) if isinstance(cell, dict | list) else cell for name, cell in row.items()}


def test_a_credit_is_a_charge_beside_its_row_with_the_same_dimensions(tmp_path: Path) -> None:
    reading = read_rows([as_text(resource=RESOURCE)], "gcp_billing", tmp_path)
    usage, credit = charges(reading).to_dicts()

    assert reading.rows == 1
    assert reading.totals == {"USD": (Decimal("70.25"), Decimal("70.25"))}  # 80.5 less 10.25
    assert (usage["charge_category"], credit["charge_category"]) == ("Usage", "Credit")
    assert (usage["resource_name"], credit["resource_name"]) == ("a3-1", "a3-1")
    assert (
        usage["tags"]
        == credit["tags"]
        == json.dumps(
            {"compute.googleapis.com/cores": "208", "project:org": "research", "team": "core"}, separators=(",", ":")
        )
    )
    assert (usage["gpu_model"], usage["gpu_hours"]) == ("H100", 8.0)  # 28,800 seconds of single chips
    assert credit["gpu_hours"] is None
    assert (usage["billing_period_start"], usage["billing_period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert usage["charge_start"] == datetime(2026, 11, 20, tzinfo=UTC)
    assert usage["exported_at"] == datetime(2026, 11, 21, 4, 12, 9, 123456, tzinfo=UTC)
    assert usage["invoice_id"] == "202611-0123-4567"


def test_the_export_says_by_its_columns_which_one_it_is(tmp_path: Path) -> None:
    assert "gcp_detailed" in read_rows([as_text(resource=RESOURCE)], "gcp_billing", tmp_path).flags
    assert "gcp_standard" in read_rows([as_text()], "gcp_billing", tmp_path).flags


NONE = pa.struct([("key", pa.string()), ("value", pa.string())])


def test_parquet_of_bigquery_writes_nothing_as_an_empty_list(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {name: [cell] for name, cell in NESTED.items()}
    empty = {name: pa.array([[]], pa.list_(NONE)) for name in ("credits", "labels", "system_labels")}
    pq.write_table(pa.table({**columns, **empty}), tmp_path / "bill.parquet")
    reading = read_file(tmp_path / "bill.parquet", "gcp_billing", tmp_path)

    assert reading.totals == {"USD": (Decimal("80.5"), Decimal("80.5"))}
    assert charges(reading)["tags"].to_list() == ['{"project:org":"research"}']


def test_labels_of_a_project_are_marked_as_such_whether_listed_or_in_an_object(tmp_path: Path) -> None:
    row = as_text(labels={"team": "core"}, system_labels=[], project={"id": "p", "labels": {"team": "research"}})

    assert charges(read_rows([row], "gcp_billing", tmp_path))["tags"][0] == '{"project:team":"research","team":"core"}'


def test_tax_on_an_accelerator_is_no_time_of_it(tmp_path: Path) -> None:
    charge = charges(read_rows([as_text(cost_type="tax", credits=[])], "gcp_billing", tmp_path)).row(0, named=True)

    assert (charge["charge_category"], charge["gpu_hours"]) == ("Tax", None)


def test_parquet_jsonl_and_csv_give_the_same_charges(tmp_path: Path) -> None:
    written = {**NESTED, "usage_start_time": datetime(2026, 11, 20, tzinfo=UTC)}
    pq.write_table(pa.Table.from_pylist([written]), tmp_path / "bill.parquet")
    (tmp_path / "bill.jsonl").write_text(json.dumps(NESTED) + "\n", encoding="utf-8")
    readings = [read_file(tmp_path / name, "gcp_billing", tmp_path) for name in ("bill.parquet", "bill.jsonl")]
    readings.append(read_rows([as_text()], "gcp_billing", tmp_path))
    hashes = [charges(reading)["content_hash"].to_list() for reading in readings]

    assert hashes[0] == hashes[1] == hashes[2]


@pytest.mark.parametrize(
    ("cost_type", "sku", "category"),
    [
        ("regular", "A3 Instance Core running in Iowa", "Usage"),
        ("tax", "Tax", "Tax"),
        ("adjustment", "Refund", "Adjustment"),
        ("rounding_error", "Rounding", "Adjustment"),
        ("regular", "Commitment v1: Nvidia H100 80GB GPU in Iowa for 1 Year", "Purchase"),
    ],
)
def test_a_cost_type_is_a_category_and_a_commitments_fee_a_purchase_without_gpu_time(
    tmp_path: Path, cost_type: str, sku: str, category: str
) -> None:
    row = as_text(cost_type=cost_type, sku={"id": "X", "description": sku}, credits=[])
    charge = charges(read_rows([row], "gcp_billing", tmp_path)).row(0, named=True)

    assert (charge["charge_category"], charge["gpu_hours"]) == (category, None)


def test_an_adjustment_is_a_correction_of_its_own_month(tmp_path: Path) -> None:
    row = as_text(adjustment_info={"id": "adj-1", "mode": "PARTIAL_CORRECTION"}, credits=[])
    charge = charges(read_rows([row], "gcp_billing", tmp_path)).row(0, named=True)

    assert charge["charge_class"] == "Correction"


def test_tpus_are_sold_by_the_chip(tmp_path: Path) -> None:
    row = as_text(sku={"id": "T", "description": "TpuV5p chip in Oregon"}, usage={"amount": 7200, "unit": "seconds"})
    charge = charges(read_rows([row], "gcp_billing", tmp_path)).row(0, named=True)

    assert (charge["gpu_model"], charge["gpu_hours"]) == ("TPU v5p", 2.0)


def test_a_row_with_a_credit_that_is_no_amount_is_refused_whole(tmp_path: Path) -> None:
    bad = as_text(credits=[{"name": "promotion", "amount": "ten"}])
    reading = read_rows([as_text(), bad], "gcp_billing", tmp_path)

    assert reading.refused.select("location", "reason", "billed_cost").rows() == [
        ("line 3", "bad_decimal", Decimal("80.5"))
    ]
    assert reading.totals == {"USD": (Decimal("70.25"), Decimal("70.25"))}
