"""LiteLLM spend logs: public model names, cached tokens from the metadata, persons by hash, keys nowhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import litellm
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("proxy", "request_telemetry", "litellm", "inbox/*")
ROW = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "startTime": "2026-11-20 01:00:00.5",
    "endTime": "2026-11-20 01:00:02.5",
    "completionStartTime": "2026-11-20 01:00:00.75",
    "prompt_tokens": 100,
    "completion_tokens": 7,
    "model": "openai/spark-8b",
    "model_group": "spark",
    "api_base": "http://spark.internal/v1",
    "team_id": "edge",
    "user": "canary@example.com",
    "status": "success",
    "cache_hit": "False",
    "api_key": "sk-canary",
    "messages": [{"role": "user", "content": "CANARY please"}],
    "request_tags": ["task:chat", "other"],
    "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 40}}, "user_api_key_alias": "sk-canary"},
    "spend": 0.5,
}


def read(folder: Path, *rows: dict[str, Any]) -> Reading:
    content = folder / "content"
    content.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return litellm.read(Delivered("inbox/spend.jsonl", "ab" * 32, 1, content, NIGHT), SOURCE)


def one(folder: Path, **change: object) -> dict[str, Any]:
    [request] = read(folder, ROW | change).frames["requests"].to_dicts()
    return request


def test_a_row_is_one_request_under_its_public_model_name(tmp_path: Path) -> None:
    request = one(tmp_path)
    assert (request["model"], request["deployment"], request["team"]) == ("spark", "http://spark.internal/v1", "edge")
    assert (request["input_tokens"], request["cached_input_tokens"], request["output_tokens"]) == (100, 40, 7)
    assert (request["duration_us"], request["ttft_us"], request["task"]) == (2_000_000, 250_000, "chat")
    assert (request["status"], request["requests"]) == ("ok", 1)


def test_without_a_group_the_model_loses_the_prefix_of_its_provider(tmp_path: Path) -> None:
    assert one(tmp_path, model_group="")["model"] == "spark-8b"


def test_the_end_user_is_the_tenant_and_a_person_only_a_hash(tmp_path: Path) -> None:
    assert one(tmp_path, end_user="acme")["tenant"] == "acme"
    hashed = one(tmp_path)["tenant"]
    assert hashed == one(tmp_path)["tenant"]
    assert "canary" not in hashed


@pytest.mark.parametrize(
    ("status", "produced", "expected"), [("failure", 7, "error"), (None, 7, "ok"), (None, 0, "unknown")]
)
def test_old_versions_without_status_count_what_produced_tokens(
    tmp_path: Path, status: str | None, produced: int, expected: str
) -> None:
    assert one(tmp_path, status=status, completion_tokens=produced)["status"] == expected


def test_a_hit_of_the_gateway_cache_is_a_request_without_tokens(tmp_path: Path) -> None:
    reading = read(tmp_path, ROW | {"cache_hit": "True"})
    [request] = reading.frames["requests"].to_dicts()
    assert (request["requests"], request["input_tokens"], request["output_tokens"]) == (1, 0, 0)
    assert reading.flags == ("gateway_cache", "tz_assumed")


@pytest.mark.parametrize(("call", "unit"), [("aimage_generation", "image"), ("atranscription", "request")])
def test_calls_that_are_not_text_are_counted_in_units(tmp_path: Path, call: str, unit: str) -> None:
    request = one(tmp_path, call_type=call, prompt_tokens=0, completion_tokens=0, metadata={})
    assert (request["units_micro"], request["unit_name"]) == (1_000_000, unit)


def test_keys_messages_and_persons_are_stored_nowhere_even_if_a_row_is_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, ROW, ROW | {"request_id": "b", "completion_tokens": "many"}, ROW | {"model": "a\x07"})
    kept = f"{reading.frames['requests'].to_dicts()} {reading.refused.to_dicts()}"
    assert sorted(reading.refused["reason"]) == ["bad_count", "control_char"]
    assert not [secret for secret in ("CANARY", "canary@", "sk-canary") if secret in kept]


def test_a_row_without_identity_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, ROW, ROW | {"request_id": ""}).refused["reason"].to_list() == ["missing_key"]


def test_a_name_that_is_written_with_escapes_is_the_name(tmp_path: Path) -> None:
    escaped = '{"usage_object":{"prompt_tokens_details":{"cache\\u0064_tokens":7}}}'
    content = tmp_path / "content"
    content.write_text(json.dumps(ROW | {"metadata": escaped}) + "\n")
    reading = litellm.read(Delivered("inbox/spend.jsonl", "ab" * 32, 1, content, NIGHT), SOURCE)
    assert reading.frames["requests"]["cached_input_tokens"].to_list() == [7]
