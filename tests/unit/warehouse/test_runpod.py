"""RunPod's billing history: a row is a pod and a bucket, in dollars, for as long as it was billed."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.sources.reader_protocol import RejectedFile

sys.path.insert(0, str(Path(__file__).parent))

from native_bills import Row, charges, read_rows

ROW: Row = {
    "amount": "10.764",
    "diskSpaceBilledGb": "50",
    "gpuTypeId": "NVIDIA H100 80GB HBM3",
    "podId": "xedezhzb9la3ye",
    "time": "2026-11-20T10:00:00Z",
    "timeBilledMs": "3600000",
}


def one(tmp_path: Path, **cells: object) -> Row:
    """The charge that a row becomes."""
    return charges(read_rows([{**ROW, **cells}], "runpod", tmp_path)).row(0, named=True)


def test_a_row_is_a_pod_in_dollars_for_as_long_as_it_was_billed(tmp_path: Path) -> None:
    charge = one(tmp_path, timeBilledMs="1800000", gpuCount="8")

    assert (charge["resource_id"], charge["currency"]) == ("xedezhzb9la3ye", "USD")
    assert charge["billed_cost"] == charge["effective_cost"] == Decimal("10.764")
    assert charge["charge_start"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert charge["charge_end"] == datetime(2026, 11, 20, 10, 30, tzinfo=UTC)  # 1,800,000 ms
    assert (charge["billing_period_start"], charge["billing_period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (charge["consumed_quantity"], charge["gpus_per_unit"]) == (Decimal("0.5"), 8)  # 4 GPU-hours
    assert charge["charge_description"] == "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"time": "yesterday"}, "bad_date"),
        ({"amount": ""}, "missing_cost"),
        ({"amount": "1,5"}, "bad_decimal"),
        ({"timeBilledMs": "-1"}, "bad_date"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_reason(
    tmp_path: Path, cells: dict[str, object], reason: str
) -> None:
    reading = read_rows([ROW, {**ROW, **cells}], "runpod", tmp_path)

    assert reading.refused["reason"].to_list() == [reason]
    assert (reading.rows, charges(reading).height) == (2, 1)


def test_a_history_grouped_by_gpu_type_names_no_pod_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match="podId"):
        read_rows([{name: cell for name, cell in ROW.items() if name != "podId"}], "runpod", tmp_path)
