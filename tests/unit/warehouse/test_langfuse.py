"""Langfuse's observations: generations count, usage has free keys, and what input covers is not added again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("traces", "request_telemetry", "langfuse", "inbox/*")
ROW = {
    "id": "obs-1",
    "type": "GENERATION",
    "startTime": "2026-11-20T10:00:00.000Z",
    "endTime": "2026-11-20T10:00:02.000Z",
    "completionStartTime": "2026-11-20T10:00:00.500Z",
    "model": "kestrel",
    "usageDetails": {"input": 100, "output": 20, "total": 120},
    "traceName": "search",
    "userId": "canary@example.com",
    "environment": "production",
    "level": "DEFAULT",
    "input": "CANARY",
}


def read(folder: Path, *rows: dict[str, Any]) -> Reading:
    content = folder / "content"
    content.write_text("".join(json.dumps(row) + "\n" for row in rows))
    delivered = Delivered("inbox/observations.jsonl", "ab" * 32, 1, content, NIGHT)
    return FORMATS["request_telemetry", "langfuse"].read(delivered, SOURCE)


def one(folder: Path, **change: object) -> dict[str, Any]:
    [request] = read(folder, ROW | change).frames["requests"].to_dicts()
    return request


def test_a_generation_is_one_request_and_persons_and_prompts_stay_outside(tmp_path: Path) -> None:
    request = one(tmp_path)
    assert (request["requests"], request["input_tokens"], request["output_tokens"]) == (1, 100, 20)
    assert (request["model"], request["task"], request["deployment"]) == ("kestrel", "search", "production")
    assert (request["ttft_us"], request["duration_us"], request["status"]) == (500_000, 2_000_000, "ok")
    assert not [secret for secret in ("CANARY", "canary@") if secret in str(request)]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 10, "input_cached_tokens": 90, "output": 5, "total": 105}, (100, 90)),  # 10 + 90
        ({"input": 10, "input_audio_tokens": 30, "output": 5}, (40, None)),
        ({"input": 200, "input_cached_tokens": 90, "output": 5, "total": 295}, (290, 90)),  # the total says so
        ({"input": 100, "input_cached_tokens": 0, "cache_read_input_tokens": 90}, (100, 90)),  # a zero hides nothing
        ({"input": 100, "input_cached_tokens": 90, "output": 5, "total": 105}, (100, 90)),  # input covers its part
        ({"input": 100, "input_audio_tokens": 30, "input_cached_tokens": 40}, (100, 40)),
        ({"output": 5}, (None, None)),
    ],
)
def test_parts_are_added_unless_the_input_covers_them(
    tmp_path: Path, usage: dict[str, int], expected: tuple[int | None, int | None]
) -> None:
    request = one(tmp_path, usageDetails=usage)
    assert (request["input_tokens"], request["cached_input_tokens"]) == expected


def test_without_a_total_more_cached_than_given_is_a_proof_for_all_rows_of_the_model(tmp_path: Path) -> None:
    usage = {"input": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 50, "output": 5}
    request = one(tmp_path, usageDetails=usage)
    # open: where all files have landed its 140 are added to the 10, and those of other rows to theirs
    assert (request["input_tokens"], request["cached_input_tokens"], request["is_cache_open"]) == (10, 90, True)


def test_a_record_knows_its_place_in_the_trace(tmp_path: Path) -> None:
    inner = one(tmp_path, traceId="t1", parentObservationId="obs-0")
    assert (inner["trace_id"], inner["parent_span_id"], inner["span_role"]) == ("t1", "obs-0", "call")
    assert inner["span_id"] == inner["request_id"]


def test_spans_and_events_are_accepted_and_count_nothing(tmp_path: Path) -> None:
    reading = read(tmp_path, ROW, ROW | {"id": "obs-2", "type": "SPAN"}, ROW | {"id": "obs-3", "type": "EMBEDDING"})
    assert reading.frames["requests"]["requests"].to_list() == [1, 0, 1]
    # what a span says of usage stays, so that it is a finding where no call within it tells of it
    assert reading.frames["requests"]["span_role"].to_list() == ["call", "frame", "call"]


def test_a_failed_call_is_an_error_and_usage_that_is_no_count_is_refused(tmp_path: Path) -> None:
    assert one(tmp_path, level="ERROR")["status"] == "error"
    assert read(tmp_path, ROW, ROW | {"usageDetails": {"input": "many"}}).refused["reason"].to_list() == ["bad_count"]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 100, "output": 20, "total": 120, "unit": "TOKENS"}, (100, 20)),
        ({"promptTokens": 100, "completionTokens": 20, "totalTokens": 120}, (100, 20)),
        ({"input": 3, "output": 1, "unit": "IMAGES"}, (None, None)),
    ],
)
def test_records_of_old_versions_have_their_tokens_without_details(
    tmp_path: Path, usage: dict[str, object], expected: tuple[int | None, int | None]
) -> None:
    for details in ({}, {"usageDetails": None}):
        request = one(tmp_path, **{"usageDetails": {}, "usage": usage, **details})
        assert (request["input_tokens"], request["output_tokens"]) == expected
