"""OTLP in JSON lines: spans are rows, inference spans are requests, and each is counted once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests import otlp
from warehouse.sources.source import Source

SOURCE = Source("otel", "request_telemetry", "otlp", "inbox/otel/*")
NIGHT = datetime(2025, 5, 16, tzinfo=UTC)
START = 1_745_884_835_354_500_123  # 2025-04-29T00:00:35.354500123Z in nanoseconds
TRACE, SPAN = "77af9b4ed700f6bcb7f5548b16e6047b", "75bf2a8e133eb7d4"


def value(plain: object) -> dict[str, object]:
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    return {"doubleValue": plain} if isinstance(plain, float) else {"stringValue": plain}


def listed(**said: object) -> list[dict[str, object]]:
    return [{"key": key.replace("__", "."), "value": value(plain)} for key, plain in said.items()]


def span(
    span_id: str = SPAN, operation: str | None = "chat", milliseconds: int = 400, **said: object
) -> dict[str, Any]:
    named = {} if operation is None else {"gen_ai__operation__name": operation}
    return {
        "traceId": TRACE,
        "spanId": span_id,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + milliseconds * 1_000_000),
        "attributes": listed(**named, **said),
        "status": {},
    }


def batch(*spans: dict[str, Any], **resource: object) -> str:
    of_scope = [{"scope": {"name": "x"}, "spans": list(spans)}]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": listed(**resource)}, "scopeSpans": of_scope}]})


def read(folder: Path, *lines: str, end: str = "\n", source: Source = SOURCE) -> Reading:
    content = folder / "content"
    content.write_text("\n".join(lines) + end)
    return otlp.read(Delivered("inbox/otel/a.jsonl", "ab" * 32, 1, content, NIGHT), source)


def the_request(reading: Reading) -> dict[str, Any]:
    [request] = reading.frames["requests"].to_dicts()
    return request


def counts(reading: Reading) -> tuple[int, int, int, int]:
    accepted = reading.rows - reading.refused.height - reading.duplicates - reading.blank
    return accepted, reading.refused.height, reading.duplicates, reading.blank


def test_an_inference_span_is_one_request(tmp_path: Path) -> None:
    said = {"gen_ai__request__model": "a", "gen_ai__response__model": "b", "gen_ai__usage__input_tokens": 100}
    more = {"gen_ai__usage__output_tokens": 7, "gen_ai__usage__cache_read__input_tokens": 40, "server__address": "h1"}
    reading = read(tmp_path, batch(span(**said, **more, tenant__id="t"), service__name="gateway"))
    request = the_request(reading)
    assert request["request_id"] == f"{TRACE}:{SPAN}"
    assert (request["model"], request["deployment"], request["task"], request["tenant"]) == ("b", "h1", "gateway", "t")
    assert (request["input_tokens"], request["cached_input_tokens"], request["output_tokens"]) == (100, 40, 7)
    assert request["start_at"] == datetime(2025, 4, 29, 0, 0, 35, 354500, tzinfo=UTC)  # cut to microseconds
    assert (request["duration_us"], request["status"], request["requests"]) == (400_000, "ok", 1)
    assert request["has_usage"]
    assert counts(reading) == (1, 0, 0, 0)


@pytest.mark.parametrize("operation", ["invoke_agent", "execute_tool", "create_agent", "retrieval", "plan"])
def test_agent_tool_and_framework_spans_are_accepted_and_count_nothing(tmp_path: Path, operation: str) -> None:
    reading = read(tmp_path, batch(span(operation=operation, gen_ai__usage__input_tokens=5)))
    assert counts(reading) == (1, 0, 0, 0)
    request = the_request(reading)
    assert (request["requests"], request["span_role"], request["input_tokens"]) == (0, "frame", 5)


def test_usage_without_an_operation_may_count_and_is_settled_with_its_trace(tmp_path: Path) -> None:
    request = the_request(read(tmp_path, batch(span(operation=None, gen_ai__usage__input_tokens=5))))
    assert (request["requests"], request["span_role"], request["input_tokens"]) == (1, "leaf", 5)


@pytest.mark.parametrize(
    ("scope", "name"), [("vllm.llm_engine", "llm_request"), ("x", "llm_request"), ("x", "ai.generateText.doGenerate")]
)
def test_spans_of_servers_and_sdks_ask_a_model_without_naming_an_operation(
    tmp_path: Path, scope: str, name: str
) -> None:
    line = json.loads(batch(span(operation=None, gen_ai__usage__prompt_tokens=5) | {"name": name}))
    line["resourceSpans"][0]["scopeSpans"][0]["scope"]["name"] = scope
    assert the_request(read(tmp_path, json.dumps(line)))["span_role"] == "call"


def test_a_model_that_no_span_names_comes_from_the_settings(tmp_path: Path) -> None:
    source = replace(SOURCE, constants={"model": "robin"}, columns={"deployment_id": "service.instance.id"})
    silent = batch(span(operation=None, gen_ai__usage__prompt_tokens=5), service__instance__id="pod-7")
    request = the_request(read(tmp_path, silent, source=source))
    assert (request["model"], request["deployment"]) == ("robin", "pod-7")
    named = the_request(read(tmp_path, batch(span(gen_ai__request__model="kestrel")), source=source))
    assert named["model"] == "kestrel"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("gen_ai__usage__prompt_tokens", "gen_ai__usage__completion_tokens"), (11, 5)),
        (("llm__token_count__prompt", "llm__token_count__completion"), (11, 5)),
        (("llm__usage__prompt_tokens", "llm__usage__completion_tokens"), (11, 5)),
    ],
)
def test_older_names_of_tokens_are_read(tmp_path: Path, names: tuple[str, str], expected: tuple[int, int]) -> None:
    request = the_request(read(tmp_path, batch(span(**{names[0]: 11, names[1]: 5}))))
    assert (request["input_tokens"], request["output_tokens"]) == expected


def test_the_first_name_present_wins_over_older_ones_whatever_their_order(tmp_path: Path) -> None:
    said = {"llm__usage__prompt_tokens": 3, "gen_ai__usage__prompt_tokens": 2, "gen_ai__usage__input_tokens": 1}
    assert the_request(read(tmp_path, batch(span(**said))))["input_tokens"] == 1


@pytest.mark.parametrize(
    ("name", "operation"), [("llm__request__type", "completion"), ("openinference__span__kind", "LLM")]
)
def test_predecessors_of_the_operation_are_read(tmp_path: Path, name: str, operation: str) -> None:
    assert the_request(read(tmp_path, batch(span(operation=None, **{name: operation}))))["requests"] == 1


def identities(reading: Reading) -> list[str]:
    return reading.frames["requests"]["request_id"].to_list()


def test_a_span_sent_twice_has_one_identity_and_so_has_an_agent_span(tmp_path: Path) -> None:
    agent = span(span_id="bbbbbbbbbbbbbbbb", operation="invoke_agent")
    found = identities(read(tmp_path, batch(span(), agent), batch(span(milliseconds=900), agent)))
    assert found == [f"{TRACE}:{SPAN}", f"{TRACE}:bbbbbbbbbbbbbbbb"] * 2


def test_ids_in_base64_are_the_same_ids(tmp_path: Path) -> None:
    coded = span() | {"traceId": "d6+bTtcA9ry39VSLFuYEew==", "spanId": "db8qjhM+t9Q="}
    assert len(set(identities(read(tmp_path, batch(span(), coded))))) == 1


def test_blank_cut_and_foreign_lines_are_rows_of_their_own(tmp_path: Path) -> None:
    reading = read(tmp_path, batch(span()), "", '{"resourceSp', '{"hello": 1}', '{"resourceSpans": [{"scop', end="")
    assert counts(reading) == (1, 3, 0, 1)
    refused = reading.refused.select("location", "reason", "raw").rows()
    assert refused == [("line 3", "bad_json", ""), ("line 4", "bad_json", ""), ("line 5", "truncated", "")]


def test_a_whole_last_line_needs_no_end(tmp_path: Path) -> None:
    assert counts(read(tmp_path, batch(span()), end="")) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("change", "said", "reason"),
    [
        ({"traceId": ""}, {}, "missing_key"),
        ({"spanId": "0000000000000000"}, {}, "missing_key"),
        ({"startTimeUnixNano": "soon"}, {}, "bad_date"),
        ({"startTimeUnixNano": None}, {}, "bad_date"),
        ({"startTimeUnixNano": "1000"}, {}, "date_out_of_range"),
        ({"endTimeUnixNano": str(START - 2000)}, {}, "end_before_start"),
        ({}, {"gen_ai__usage__input_tokens": -5}, "bad_count"),
        ({}, {"gen_ai__usage__output_tokens": 12.5}, "bad_count"),
        ({}, {"gen_ai__usage__output_tokens": "many"}, "bad_count"),
        ({}, {"gen_ai__usage__input_tokens": 5, "gen_ai__usage__cache_read__input_tokens": 6}, "token_mismatch"),
        ({}, {"gen_ai__usage__cached_input_tokens": 6}, "token_mismatch"),
        ({}, {"gen_ai__request__model": "a\x07b"}, "control_char"),
    ],
)
def test_a_span_that_cannot_be_read_is_refused_alone(
    tmp_path: Path, change: dict[str, object], said: dict[str, object], reason: str
) -> None:
    reading = read(tmp_path, batch(span(span_id="cccccccccccccccc"), span(**said) | change))
    assert counts(reading) == (1, 1, 0, 0)
    assert reading.refused["reason"].to_list() == [reason]
    assert reading.refused["location"].to_list() == ["line 1 $.resourceSpans[0].scopeSpans[0].spans[1]"]


def test_whole_numbers_may_be_written_as_fractions_or_numbers(tmp_path: Path) -> None:
    request = the_request(read(tmp_path, batch(span(gen_ai__usage__input_tokens=12.0))))
    assert request["input_tokens"] == 12
    number = span() | {"attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]}
    number["attributes"].append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": 5_000_000_000}})
    assert the_request(read(tmp_path, batch(number)))["input_tokens"] == 5_000_000_000


def test_a_zero_under_one_name_does_not_hide_the_cached_tokens_under_another(tmp_path: Path) -> None:
    said = {"gen_ai__usage__cache_read__input_tokens": 0, "gen_ai__usage__cached_tokens": 40}
    assert the_request(read(tmp_path, batch(span(gen_ai__usage__input_tokens=50, **said))))["cached_input_tokens"] == 40


def test_the_names_of_the_convention_are_inside_the_input_whoever_the_provider_is(tmp_path: Path) -> None:
    said = {"gen_ai__usage__input_tokens": 9844, "gen_ai__usage__cache_read__input_tokens": 9842}
    request = the_request(read(tmp_path, batch(span(gen_ai__provider__name="anthropic", **said))))
    assert (request["input_tokens"], request["cached_input_tokens"], request["is_cache_open"]) == (9844, 9842, False)


def test_a_setting_says_where_cached_tokens_stand_before_any_name(tmp_path: Path) -> None:
    source = replace(SOURCE, options={"cached": "beside"})
    said = {"gen_ai__usage__input_tokens": 10, "gen_ai__usage__cache_read__input_tokens": 90}
    assert the_request(read(tmp_path, batch(span(**said)), source=source))["input_tokens"] == 100  # 10 + 90


def test_a_provider_that_reports_parts_apart_has_them_added_up(tmp_path: Path) -> None:
    said = {"gen_ai__usage__input_tokens": 10, "gen_ai__usage__cache_read_input_tokens": 90}
    said |= {"gen_ai__usage__cache_creation_input_tokens": 5}
    request = the_request(read(tmp_path, batch(span(gen_ai__system="anthropic", **said))))
    assert (request["input_tokens"], request["cached_input_tokens"]) == (105, 90)  # 10 + 90 + 5


def test_a_span_without_usage_is_a_request_without_usage(tmp_path: Path) -> None:
    request = the_request(read(tmp_path, batch(span())))
    assert (request["requests"], request["input_tokens"], request["has_usage"]) == (1, None, False)


def test_failures_are_errors_and_keep_their_tokens(tmp_path: Path) -> None:
    failed = span(gen_ai__usage__input_tokens=3) | {"status": {"code": 2, "message": "SECRET"}}
    timed_out = span(span_id="cccccccccccccccc", error__type="timeout")
    statuses = read(tmp_path, batch(failed, timed_out)).frames["requests"]["status"].to_list()
    assert statuses == ["error", "error"]


def test_the_time_to_the_first_token_is_stated_or_seen_in_an_event(tmp_path: Path) -> None:
    stated = the_request(read(tmp_path, batch(span(gen_ai__server__time_to_first_token=0.25))))
    assert stated["ttft_us"] == 250_000
    event = {"name": "gen_ai.content.completion", "timeUnixNano": str(START + 90_000_000)}
    assert the_request(read(tmp_path, batch(span() | {"events": [event]})))["ttft_us"] == 90_000


def test_prompts_persons_and_other_attributes_are_kept_nowhere(tmp_path: Path) -> None:
    secrets = {"gen_ai__prompt": "CANARY please", "enduser__id": "canary@example.com", "http__header": "sk-canary"}
    bad = span(span_id="cccccccccccccccc", gen_ai__usage__input_tokens=-1, **secrets)
    reading = read(tmp_path, batch(span(**secrets), bad))
    kept = f"{reading.frames['requests'].to_dicts()} {reading.refused.to_dicts()}"
    assert not [secret for secret in ("CANARY", "canary@example.com", "sk-canary") if secret in kept]
    assert the_request(reading)["tenant"] is not None  # a person is known by a hash


def test_log_records_with_the_same_attributes_are_requests(tmp_path: Path) -> None:
    record = {
        "timeUnixNano": str(START),
        "attributes": listed(gen_ai__operation__name="chat", gen_ai__usage__input_tokens=8),
    }
    line = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    request = the_request(read(tmp_path, line))
    assert (request["request_id"], request["input_tokens"], request["duration_us"]) == (None, 8, None)


def test_a_line_of_metrics_is_one_accepted_row(tmp_path: Path) -> None:
    reading = read(tmp_path, '{"resourceMetrics": []}')
    assert (counts(reading), reading.frames["requests"].height) == ((1, 0, 0, 0), 0)


def test_a_document_over_several_lines_is_refused_with_the_way_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r"over several lines.*jq -c"):
        read(tmp_path, json.dumps({"resourceSpans": []}, indent=2))
