"""Two sources that see the same traffic: it counts once, or that is in doubt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from transforms.staging.token_usage import token_usage
from transforms.staging.traffic_overlaps import captured_twice, traffic_overlaps
from warehouse.schemas import CATALOGUE

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
MODELS = [{"model_id": "kestrel", "aliases": ["hosted/kestrel"]}]


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def hour(source: str, requests: int, tokens: int, model: str | None = "kestrel", at: int = 10) -> dict[str, Any]:
    start = TEN.replace(hour=at)
    sums = {"requests_with_usage": requests, "cached_input_tokens": 0, "output_tokens": 0, "units": 0.0}
    return {
        "hour": start, "part_start": start, "source": source, "model": model, "status": "ok", "requests": requests,
        "input_tokens": tokens, "duration_us": 0, **sums,
    }  # fmt: skip


def overlaps(*hours: dict[str, Any], **priorities: int) -> pl.DataFrame:
    rows = [{"source": source, "priority": priority} for source, priority in priorities.items()]
    policy = (table("models", MODELS), table("attribution", []), table("source_priorities", rows))
    return traffic_overlaps(table("request_hours", list(hours)), *policy)


def doubts(found: pl.DataFrame, *calls: dict[str, Any], **priorities: int) -> list[dict[str, Any]]:
    rows = [{"source": source, "priority": priority} for source, priority in priorities.items()]
    tables = (table("matching_calls", list(calls)), table("models", MODELS), table("source_priorities", rows))
    return captured_twice(found, *tables).to_dicts()


def counted(*hours: dict[str, Any], **priorities: int) -> int:
    policy = [table(name, []) for name in ("attribution", "deployments", "token_weights")]
    found = overlaps(*hours, **priorities)
    return int(
        token_usage(table("request_hours", list(hours)), table("models", MODELS), *policy, found)["requests"].sum()
    )


def test_counts_that_agree_within_a_fifth_are_one_traffic_and_in_doubt() -> None:
    gateway, sdk = hour("gateway", 100, 5000), hour("sdk", 80, 4100, model="hosted/kestrel")
    [finding] = doubts(overlaps(gateway, sdk))
    assert (finding["source"], finding["counterpart"], finding["subject"]) == ("sdk", "gateway", "kestrel")
    assert (finding["rows"], finding["tokens"]) == (80, 4100.0)  # what the lesser of the two tells of
    assert counted(gateway, sdk) == 180


def test_other_counts_other_tokens_other_hours_and_other_models_are_other_traffic() -> None:
    gateway = hour("gateway", 100, 5000)
    assert overlaps(gateway, hour("sdk", 79, 5000)).is_empty()
    assert overlaps(gateway, hour("sdk", 100, 3000)).is_empty()
    assert overlaps(gateway, hour("sdk", 100, 5000, at=11)).is_empty()
    assert overlaps(gateway, hour("sdk", 100, 5000, model="robin")).is_empty()
    assert overlaps(hour("a", 1, 1, model=None), hour("b", 1, 1, model=None)).is_empty()


def test_a_call_at_the_edge_of_an_hour_is_in_doubt_though_each_source_has_it_in_another_hour() -> None:
    gateway, sdk = hour("gateway", 1, 2300), hour("sdk", 1, 2300, at=11)
    [finding] = doubts(overlaps(gateway, sdk))
    assert (finding["rows"], finding["tokens"]) == (1, 2300.0)
    assert (counted(gateway, sdk, gateway=1, sdk=2), counted(gateway, sdk, gateway=2, sdk=1)) == (1, 1)
    assert overlaps(gateway, hour("sdk", 1, 9000, at=11)).is_empty()  # of another size
    assert overlaps(gateway, hour("sdk", 1, 2300, at=12)).is_empty()  # an hour lies between
    # of 100 calls the SDK has 3 in the next hour, where the gateway has none: 97 + 3 are the gateway's
    late = [hour("gateway", 100, 5000), hour("sdk", 97, 4850), hour("sdk", 3, 150, at=11)]
    assert counted(*late, gateway=1, sdk=2) == 100
    assert counted(late[0], late[1], hour("sdk", 7, 350, at=11), gateway=1, sdk=2) == 107  # more than the edge has


def test_counts_are_compared_over_the_hours_that_both_tell_of() -> None:
    one = [hour("gateway", 100, 5000), hour("gateway", 10, 500, at=11)]
    other = [hour("sdk", 90, 4500), hour("sdk", 15, 700, at=11), hour("sdk", 500, 9000, at=12)]
    found = overlaps(*one, *other)  # 110 requests of 5500 tokens against 105 of 5200
    assert found["requests"].to_list() == [90, 15]


def test_where_priorities_decide_the_smaller_one_counts_and_nothing_is_in_doubt() -> None:
    gateway, sdk = hour("gateway", 100, 5000), hour("sdk", 40, 2000)
    alone = hour("sdk", 7, 300, at=12)
    assert counted(gateway, sdk, alone, gateway=1, sdk=2) == 107
    assert counted(gateway, sdk, alone, gateway=2, sdk=1) == 47
    assert doubts(overlaps(gateway, sdk, gateway=1, sdk=2), gateway=1, sdk=2) == []


def test_ids_that_two_sources_share_are_the_doubt_whatever_their_counts_and_come_before_these() -> None:
    shared = {"source": "sdk", "counterpart": "gateway", "model": "hosted/kestrel", "day": TEN.date()}
    calls = {**shared, "requests": 3, "tokens": 120}
    [few] = doubts(overlaps(), calls)
    assert (few["subject"], few["rows"], few["tokens"]) == ("kestrel", 3, 120.0)
    agreeing = overlaps(hour("gateway", 100, 5000), hour("sdk", 90, 4500))
    assert [found["rows"] for found in doubts(agreeing, calls)] == [3]
    assert doubts(overlaps(), calls, gateway=1, sdk=2) == []
