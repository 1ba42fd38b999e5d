"""OpenCost's allocations: whose GPU-hours are read, what is nobody's, and what is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from warehouse.schemas.raw import WorkloadRows
from warehouse.sources.billing import opencost
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("cluster", "gpu_billing", "opencost", "inbox/opencost/*")
HEADER = (
    "Date,Namespace,ControllerKind,ControllerName,Pod,Container,Labels,CPUCoreUsageAverage,GPUs,GPUCost,TotalCost\n"
)


def allocation(**more: Any) -> dict[str, Any]:
    """One allocation as the API answers it, its cost columns included."""
    properties = {"cluster": "c1", "node": "n1", "namespace": "llm", "controllerKind": "deployment",
                  "controller": "chat", "pod": "chat-0", "container": "vllm", "labels": {"app": "chat"}}  # fmt: skip
    window = {"start": "2026-11-19T10:00:00Z", "end": "2026-11-19T11:00:00Z"}
    return {
        "name": "c1/n1/llm/chat-0/vllm", "properties": properties | more.pop("properties", {}), "window": window,
        **window, "minutes": 60, "gpuHours": 2.5, "gpuCount": 2.5, "gpuCost": 9.5, "gpuCostIdle": 0, "totalCost": 12,
        **more,
    }  # fmt: skip


def answer(*sets: dict[str, Any] | None) -> bytes:
    return json.dumps({"code": 200, "status": "success", "data": list(sets)}).encode()


def read(folder: Path, content: bytes, name: str = "a.json") -> Reading:
    path = folder / "content"
    path.write_bytes(content)
    delivered = Delivered(name, hashlib.sha256(content).hexdigest(), len(content), path, NIGHT)
    return opencost.read(delivered, SOURCE)


def test_an_allocation_is_a_workload_with_its_gpu_hours_and_no_money(tmp_path: Path) -> None:
    reading = read(tmp_path, answer({"x": allocation()}, None, {}))
    rows = reading.frames["workload_rows"]
    WorkloadRows.validation().validate(rows)

    assert (reading.rows, reading.refused.height, reading.flags) == (1, 0, ())
    row = rows.row(0, named=True)
    assert row["location"] == '$.data[0]["x"]'
    assert row["workload"] == "c1/llm/chat-0/vllm"
    assert row["gpu_hours"] == Decimal("2.5")
    assert (row["started_at"].hour, row["ended_at"].hour) == (10, 11)
    assert json.loads(row["labels"]) == {"app": "chat"}
    assert not [name for name in rows.columns if "cost" in name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("__idle__", {}),
        ("c1/__idle__", {}),
        ("n1/__unallocated__", {}),
        ("x", {"properties": {"namespace": "__unmounted__"}}),
        ("x", {"gpuHours": 0}),
        ("x", {"gpuHours": None}),
        ("x", {"gpuHours": float("nan")}),
    ],
)
def test_what_nobody_used_and_unknown_hours_are_accepted_and_count_nothing(
    tmp_path: Path, name: str, said: dict[str, Any]
) -> None:
    reading = read(tmp_path, answer({name: allocation(**said), "y": allocation()}))

    assert (reading.rows, reading.refused.height, reading.frames["workload_rows"].height) == (2, 0, 1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"gpuHours": -1}, "bad_count"),
        ({"gpuHours": "many"}, "bad_decimal"),
        ({"start": "yesterday"}, "bad_date"),
        ({"start": None}, "bad_date"),
        ({"end": "2026-11-19T09:00:00Z"}, "end_before_start"),
        ({"start": "2014-11-19T09:00:00Z"}, "date_out_of_range"),
    ],
)
def test_a_bad_allocation_is_refused_with_its_path(tmp_path: Path, said: dict[str, Any], reason: str) -> None:
    reading = read(tmp_path, answer({"good": allocation(), "bad": allocation(**said)}))

    assert reading.refused.select("location", "reason").rows() == [('$.data[0]["bad"]', reason)]
    assert (reading.rows, reading.frames["workload_rows"].height) == (2, 1)


def test_idle_that_the_exporter_makes_negative_is_nobodys_and_refuses_nothing(tmp_path: Path) -> None:
    reading = read(tmp_path, answer({"x": allocation(), "c1/__idle__": allocation(gpuHours=-3.5)}))

    assert (reading.rows, reading.refused.height, reading.frames["workload_rows"].height) == (2, 0, 1)


@pytest.mark.parametrize(
    "content",
    [b'{"code": 500, "data": []}', b'{"code": 200}', b'{"code": 200, "data": {}}', b'{"code": 200, "data": ['],
)
def test_an_answer_that_is_no_success_is_rejected(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RejectedFile, match="unreadable"):
        read(tmp_path, content)


def test_an_aggregate_is_called_by_its_name_where_no_property_names_it(tmp_path: Path) -> None:
    nameless = allocation() | {"properties": {}}

    assert read(tmp_path, answer({"team-a": nameless})).frames["workload_rows"]["workload"].item() == "team-a"


def test_the_csv_export_gives_whole_days_and_says_so(tmp_path: Path) -> None:
    rows = '2026-11-19,llm,deployment,chat,chat-0,vllm,"{""app"":""chat""}",1.5,0.5,3,4\n'
    reading = read(tmp_path, (HEADER + rows + "2026-11-19,__idle__,,,,,,1,8,1,1\n").encode(), "a.csv")
    (row,) = reading.frames["workload_rows"].to_dicts()

    assert (reading.rows, reading.flags) == (2, ("whole_days_assumed",))
    # 0.5 GPUs on average × 24 hours
    assert (row["gpu_hours"], row["workload"], row["location"]) == (Decimal(12), "llm/chat-0/vllm", "line 2")
    assert (row["ended_at"] - row["started_at"]).days == 1


def test_a_bad_number_in_the_csv_export_is_refused(tmp_path: Path) -> None:
    rows = "2026-11-19,llm,,,a,,,1,x,0,0\n2026-11-19,llm,,,b,,,1,-1,0,0\n19/11,llm,,,c,,,1,1,0,0\n"
    refused = read(tmp_path, (HEADER + rows).encode(), "a.csv").refused

    assert refused.select("location", "reason").rows() == [
        ("line 2", "bad_decimal"),
        ("line 3", "bad_count"),
        ("line 4", "bad_date"),
    ]
