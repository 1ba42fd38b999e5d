"""Means of GPU hours: known from half of the usual scrapes, shared by pods, led to models and pools by rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from transforms.staging.gpu_activity import gpu_activity
from warehouse.schemas import CATALOGUE
from warehouse.schemas.staging import GpuActivity

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def scraped(start: datetime, *values: float, **more: Any) -> list[dict[str, Any]]:
    """A scrape every ten minutes."""
    return [
        {"file_sha256": "f", "location": f"line {place}", "source": "dcgm", "gpu": "GPU-a", "gpus": 1.0,
         "metric": "engine_activity", "value": value, "host": "gpu-01", "pod": "chat-0", "is_hourly": False,
         "sampled_at": start + place * 10 * MINUTE, **more}
        for place, value in enumerate(values)
    ]  # fmt: skip


def measured(rows: list[dict[str, Any]], *rules: tuple[str, str, str, str]) -> list[dict[str, Any]]:
    listed = [
        {"position": place, "line": place + 2, "priority": 1, "source": "*", "field": field, "pattern": pattern,
         "target": target, "target_id": name}
        for place, (field, pattern, target, name) in enumerate(rules)
    ]  # fmt: skip
    deployments = [
        {"line": 2, "deployment_id": "chat", "model_id": "m", "pool_id": "p", "valid_to": TEN + HOUR},
        {"line": 3, "deployment_id": "chat", "model_id": "n", "pool_id": "p", "valid_from": TEN + HOUR},
    ]
    settings = table("settings", [{"night_end": TEN + 14 * HOUR}])
    tables = (table("gpu_samples", rows), table("attribution", listed), table("deployments", deployments))
    found = gpu_activity(*tables, settings)
    GpuActivity.validation().validate(found)
    return found.to_dicts()


def test_an_hour_is_the_mean_of_its_scrapes_and_unknown_under_half_of_the_usual_ones() -> None:
    # Six scrapes at 10, three at 11, two at 12: half of six is three.
    rows = [
        *scraped(TEN, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3),
        *scraped(TEN + HOUR, 0.5, 0.6, 0.7),
        *scraped(TEN + 2 * HOUR, 0.9, 0.9),
    ]
    found = measured(rows)

    assert [row["scrapes"] for row in found] == [6, 3, 2]
    assert [row["activity_ratio"] for row in found] == [pytest.approx(0.2), pytest.approx(0.6), None]
    assert [row["gpu_hours"] for row in found] == [1.0, 1.0, 1.0]


def test_the_activity_of_the_engines_counts_and_else_the_share_of_time_with_a_kernel() -> None:
    rows = [
        *scraped(TEN, 0.4),
        *scraped(TEN, 0.98, metric="utilization"),
        *scraped(TEN, 0.97, gpu="GPU-b", metric="utilization"),
        *scraped(TEN, 1000.0, gpu="GPU-b", metric="memory_used"),
    ]
    first, second = measured(rows)

    assert (first["activity_ratio"], first["memory_used_mib"]) == (0.4, None)
    assert (second["activity_ratio"], second["memory_used_mib"]) == (0.97, 1000.0)


def test_two_pods_of_one_gpu_share_its_hour_by_their_scrapes() -> None:
    rows = [*scraped(TEN, 0.8, 0.8), *scraped(TEN + 20 * MINUTE, 0.2, 0.2, 0.2, 0.2, pod="search-0")]
    chat, search = measured(rows)

    assert (chat["gpu_hours"], chat["activity_ratio"]) == (pytest.approx(1 / 3), 0.8)
    assert (search["gpu_hours"], search["activity_ratio"]) == (pytest.approx(2 / 3), pytest.approx(0.2))


def test_a_scrape_that_is_delivered_twice_counts_once_and_tomorrows_not_yet() -> None:
    rows = [*scraped(TEN, 0.4), *scraped(TEN, 0.4, file_sha256="g"), *scraped(TEN + 14 * HOUR, 0.9)]

    assert [row["scrapes"] for row in measured(rows)] == [1]


@pytest.mark.parametrize("field", ["pod", "deployment"])
def test_a_rule_for_the_pod_leads_to_the_model_that_its_deployment_serves_in_the_hour(field: str) -> None:
    rows = [*scraped(TEN, 0.4), *scraped(TEN + HOUR, 0.4)]
    found = measured(rows, (field, "chat-*", "deployment", "chat"))

    assert [(row["deployment_id"], row["model_id"], row["pool_id"]) for row in found] == [
        ("chat", "m", "p"), ("chat", "n", "p"),
    ]  # fmt: skip


def test_a_rule_for_the_host_leads_to_its_pool() -> None:
    (row,) = measured(scraped(TEN, 0.4), ("host", "gpu-*", "pool", "q"))

    assert (row["model_id"], row["pool_id"]) == (None, "q")
