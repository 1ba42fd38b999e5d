"""Access logs of a gateway: attempts are requests, a dash is nothing, and keys are the operator's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("gateway", "request_telemetry", "envoy_gateway", "inbox/*")
LINE = {
    "start_time": "2026-11-20T10:00:00.250Z",
    "duration": 1500,
    "response_code": 200,
    "x-request-id": "7f3c",
    "x-envoy-attempt-count": "2",
    "gen_ai.request.model": "kestrel",
    "llm_input_token": "120",
    "llm_cached_input_token": "20",
    "llm_output_token": "30",
    "upstream_host": "10.0.0.7:8000",
    "request_body": "CANARY",
}


def read(folder: Path, *lines: dict[str, object], source: Source = SOURCE) -> Reading:
    content = folder / "content"
    content.write_text("".join(json.dumps(line) + "\n" for line in lines))
    delivered = Delivered("inbox/access.jsonl", "ab" * 32, 1, content, NIGHT)
    return FORMATS["request_telemetry", "envoy_gateway"].read(delivered, source)


def test_a_line_is_one_attempt_with_the_tokens_that_it_was_answered(tmp_path: Path) -> None:
    silent = dict.fromkeys(("llm_input_token", "llm_cached_input_token", "llm_output_token"), "-")
    failed = LINE | {"x-envoy-attempt-count": "1", "response_code": 503} | silent
    rows = read(tmp_path, failed, LINE).frames["requests"]
    assert rows["request_id"].to_list() == ["7f3c#1", "7f3c#2"]
    assert rows["status"].to_list() == ["error", "ok"]
    assert rows.select("input_tokens", "cached_input_tokens", "output_tokens").row(1) == (120, 20, 30)
    assert rows.select(pl.col("input_tokens", "output_tokens").sum()).row(0) == (120, 30)
    assert (rows["duration_us"][1], rows["deployment"][1], rows["model"][1]) == (1_500_000, "10.0.0.7:8000", "kestrel")
    assert "CANARY" not in str(rows.to_dicts())


def test_the_settings_name_other_keys(tmp_path: Path) -> None:
    source = replace(SOURCE, columns={"input_tokens": "in", "model": "served"})
    line = {key: value for key, value in LINE.items() if key != "llm_input_token"} | {"in": 55, "served": "robin"}
    row = read(tmp_path, line, source=source).frames["requests"].to_dicts()[0]
    assert (row["input_tokens"], row["model"]) == (55, "robin")


def test_more_cached_than_given_is_a_proof_and_a_line_without_identity_is_refused(tmp_path: Path) -> None:
    bad = read(tmp_path, LINE | {"llm_cached_input_token": "121"}, LINE | {"x-request-id": "-"}, LINE)
    assert bad.refused["reason"].to_list() == ["missing_key"]
    assert (bad.rows, bad.frames["requests"]["is_cache_open"].to_list()) == (3, [True, True])
