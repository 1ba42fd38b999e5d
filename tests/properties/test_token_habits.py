"""Total or rest: whatever names a writer uses, and wherever it counts the cache, the total is the truth."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.staging import request_hours
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import reduce_on_duckdb, reduce_plainly
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import litellm, otlp
from warehouse.sources.source import Source

DAY = date(2026, 11, 20)
NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
START = 1_795_168_800_000_000_000  # 2026-11-20T10:00:00Z in nanoseconds
OTLP = Source("agents", "request_telemetry", "otlp", "inbox/*")
PROXY = Source("proxy", "request_telemetry", "litellm", "inbox/*")


class Truth(NamedTuple):
    """One request as it was: tokens read from a cache, written to one, and neither; tokens produced."""

    cached: int
    written: int
    rest: int
    output: int

    def input(self, habit: str) -> int:
        """What a writer of this habit states as the input."""
        return self.rest if habit == "beside" else self.rest + self.cached + self.written


class Names(NamedTuple):
    """The names of one generation of writers, and the habits that it may have."""

    input: str
    output: str
    cached: str
    written: str
    habits: tuple[str, ...] = ("inside", "beside")


GENERATIONS = (
    Names(
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        ("inside",),
    ),
    Names(
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    Names(
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    Names(
        "llm.token_count.prompt",
        "llm.token_count.completion",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_write",
    ),
    Names(
        "ai.usage.inputTokens",
        "ai.usage.outputTokens",
        "ai.usage.cachedInputTokens",
        "gen_ai.usage.cache_write_input_tokens",
    ),
)
PROVED = Truth(cached=9_000, written=500, rest=40, output=7)
"""A request most of which came from a cache, as every source that counts beside has sooner or later."""

truths = st.lists(st.builds(Truth, *[st.integers(0, 400)] * 4), max_size=5).map(lambda some: [*some, PROVED])


def span(number: int, truth: Truth, names: Names, habit: str) -> dict[str, Any]:
    said = {
        names.input: truth.input(habit),
        names.output: truth.output,
        names.cached: truth.cached,
        names.written: truth.written,
    }
    attributes = [{"key": name, "value": {"intValue": str(value)}} for name, value in said.items()]
    texts = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "kestrel"}
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "startTimeUnixNano": str(START + number * 10**9),
        "endTimeUnixNano": str(START + number * 10**9 + 10**8),
        "attributes": [*attributes, *({"key": key, "value": {"stringValue": text}} for key, text in texts.items())],
    }


def logged(number: int, truth: Truth, habit: str, *, is_nested: bool) -> dict[str, Any]:
    usage = {
        "prompt_tokens_details": {"cached_tokens": 0 if is_nested else truth.cached},
        "cache_read_input_tokens": truth.cached,
        "cache_creation_input_tokens": truth.written,
    }
    metadata = {"additional_usage_values" if is_nested else "usage_object": usage}
    return {
        "request_id": str(number),
        "call_type": "acompletion",
        "startTime": f"2026-11-20 10:00:{number:02}",
        "endTime": f"2026-11-20 10:00:{number:02}.5",
        "model_group": "kestrel",
        "prompt_tokens": truth.input(habit),
        "completion_tokens": truth.output,
        "custom_llm_provider": "hosted_vllm",
        "metadata": json.dumps(json.dumps(metadata)) if is_nested else json.dumps(metadata),
    }


def sums(folder: Path, readings: list[Reading]) -> list[tuple[int, int, int]]:
    """Input, cached and output tokens of all files, by either engine."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        paths = [
            write_landed(folder / "landed" / "requests" / f"{place}.parquet", reading.frames["requests"])
            for place, reading in enumerate(readings)
        ]
        files = [LandedFile(path.name, path) for path in paths]
        mark_uncounted(connection, files, DAY)
        found = [
            reduce_on_duckdb(connection, files, request_hours, [], {DAY: 10}),
            reduce_plainly(connection, files, request_hours, [], [DAY]),
        ]
    columns = ("input_tokens", "cached_input_tokens", "output_tokens")
    return [tuple(hours[name].sum() for name in columns) for hours in found]  # type: ignore[misc]


def expected(requests: list[Truth]) -> tuple[int, int, int]:
    total = sum(truth.rest + truth.cached + truth.written for truth in requests)
    return total, sum(truth.cached for truth in requests), sum(truth.output for truth in requests)


@pytest.mark.parametrize("names", GENERATIONS, ids=lambda names: names.cached)
@settings(max_examples=6)
@given(requests=truths, data=st.data())
def test_the_total_of_spans_is_the_truth_for_every_generation_of_names(
    names: Names, requests: list[Truth], data: st.DataObject
) -> None:
    habit = data.draw(st.sampled_from(names.habits))
    lines = [
        {"resourceSpans": [{"scopeSpans": [{"spans": [span(number, truth, names, habit)]}]}]}
        for number, truth in enumerate(requests)
    ]
    with tempfile.TemporaryDirectory() as folder:
        halves = [lines[::2], lines[1::2]]  # the proof may stand in another file than what it is about
        readings = []
        for half in halves:
            content = Path(folder) / "content"
            content.write_text("".join(json.dumps(line) + "\n" for line in half))
            readings.append(otlp.read(Delivered("inbox/a.jsonl", "ab" * 32, 1, content, NIGHT), OTLP))
        assert sum(reading.refused.height for reading in readings) == 0
        assert sums(Path(folder), readings) == [expected(requests)] * 2


@settings(max_examples=10)
@given(requests=truths, habit=st.sampled_from(["inside", "beside"]), is_nested=st.booleans())
def test_the_total_of_a_gateway_log_is_the_truth_wherever_it_keeps_its_usage(
    *, requests: list[Truth], habit: str, is_nested: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content"
        rows = [logged(number, truth, habit, is_nested=is_nested) for number, truth in enumerate(requests)]
        content.write_text("".join(json.dumps(row) + "\n" for row in rows))
        reading = litellm.read(Delivered("inbox/a.jsonl", "ab" * 32, 1, content, NIGHT), PROXY)
        assert reading.refused.height == 0
        assert sums(Path(folder), [reading]) == [expected(requests)] * 2
