"""Workloads of a cluster: whose GPUs they held, for which model, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.staging.checks import workloads_measured_twice
from transforms.staging.workload_uses import workload_uses
from warehouse.schemas import CATALOGUE
from warehouse.schemas.staging import WorkloadUses

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def row(**more: Any) -> dict[str, Any]:
    return {"file_sha256": "f", "location": "a", "source": "k", "workload": "c1/llm/chat-0", "cluster": "c1",
            "namespace": "llm", "pod": "chat-0", "labels": '{"App ": "chat"}', "started_at": TEN,
            "ended_at": TEN + HOUR, "gpu_hours": Decimal(2), **more}  # fmt: skip


def used(rows: list[dict[str, Any]], *rules: tuple[str, str, str, str]) -> pl.DataFrame:
    listed = [
        {"position": place, "line": place + 2, "priority": 1, "source": "*", "field": field, "pattern": pattern,
         "target": target, "target_id": name, "phase": "inference" if target == "model" else None}
        for place, (field, pattern, target, name) in enumerate(rules)
    ]  # fmt: skip
    settings = table("settings", [{"night_end": TEN + 14 * HOUR}])
    return workload_uses(table("workload_rows", rows), table("attribution", listed), settings)


@pytest.mark.parametrize(
    ("field", "pattern"), [("namespace", "LLM"), ("pod", "chat-*"), ("cluster", "c?"), ("label:app", "chat")]
)
def test_pool_and_model_come_from_the_first_rule_of_each(field: str, pattern: str) -> None:
    found = used([row()], (field, pattern, "pool", "p"), ("namespace", "*", "model", "m"), (field, "*", "pool", "q"))
    WorkloadUses.validation().validate(found)

    assert found.select("pool_id", "model_id", "phase").row(0) == ("p", "m", "inference")


def test_a_workload_that_no_rule_names_has_no_pool() -> None:
    assert used([row()], ("namespace", "web", "pool", "p"))["pool_id"].to_list() == [None]


def test_a_window_that_comes_twice_alike_counts_once_and_tomorrows_not_yet() -> None:
    again = row(file_sha256="g", location="b")
    tomorrow = row(started_at=TEN + 14 * HOUR, ended_at=TEN + 15 * HOUR)

    assert used([row(), again, tomorrow]).height == 1


def test_windows_of_a_workload_that_overlap_are_named_by_a_check() -> None:
    day = row(ended_at=TEN + 9 * HOUR)
    later = row(started_at=TEN + 5 * HOUR, ended_at=TEN + 6 * HOUR)
    inside = row(started_at=TEN + 8 * HOUR, ended_at=TEN + 9 * HOUR)

    assert workloads_measured_twice(used([day, later, inside]))["started_at"].to_list() == [
        TEN + 5 * HOUR,
        TEN + 8 * HOUR,
    ]
    assert workloads_measured_twice(used([later, inside, row(pod="b", workload="b")])).is_empty()
    assert workloads_measured_twice(used([row(), row(gpu_hours=Decimal(3))])).height == 1
