"""Spans of a trace: of what several of them tell, one counts, and what none of them counts is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from warehouse.landing.requests.traces import Resolved, resolved
from warehouse.schemas.landed import Requests

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
COLUMNS = (
    *("position", "day", "source", "trace_id", "span_id", "parent_span_id", "span_role", "response_id", "model"),
    *("start_at", "end_at", "input_tokens", "cached_input_tokens", "cache_write_tokens", "is_cache_open"),
    *("output_tokens", "requests", "has_usage"),
)


def span(name: str, parent: str | None = None, used: tuple[int, int] | None = (300, 30), **said: Any) -> dict[str, Any]:
    role = said.pop("role", "call")
    given, produced = used or (None, None)
    return {
        **dict.fromkeys(COLUMNS),
        "day": date(2026, 11, 20),
        "source": "agents",
        "trace_id": "t",
        "span_id": name,
        "parent_span_id": parent,
        "span_role": role,
        "model": "kestrel",
        "start_at": START + timedelta(seconds=said.pop("at", 0)),
        "end_at": START + timedelta(seconds=60),
        "input_tokens": given,
        "output_tokens": produced,
        "is_cache_open": False,
        "requests": int(role != "frame"),
        "has_usage": used is not None,
    } | said


def of(*spans: dict[str, Any]) -> tuple[dict[str, str], Resolved]:
    """Why each span that does not count does not, by its name."""
    schema = {name: Requests.polars_schema()[name] for name in COLUMNS}
    rows = [row | {"position": place} for place, row in enumerate(spans)]
    frame = pl.DataFrame(rows, schema=schema).with_columns(pl.lit(0, dtype=pl.Int64).alias("delivery"))
    found = resolved(frame)
    return {spans[row["position"]]["span_id"]: row["reason"] for row in found.uncounted.to_dicts()}, found


def test_of_a_call_inside_a_call_with_equal_usage_the_inner_one_counts() -> None:
    assert of(span("a"), span("b", "a"))[0] == {"a": "nested"}


def test_of_three_instruments_around_one_call_the_innermost_counts_even_across_spans_without_usage() -> None:
    reasons, _ = of(span("a"), span("http", "a", None, role="frame"), span("b", "http"), span("c", "b"))
    assert reasons == {"a": "nested", "b": "nested"}


def test_an_outer_span_counts_where_only_it_names_the_model() -> None:
    assert of(span("a"), span("b", "a", model=None))[0] == {"b": "nested"}


def test_an_outer_span_without_usage_is_the_call_within_it() -> None:
    assert of(span("a", used=None), span("b", "a"))[0] == {"a": "nested"}
    assert of(span("a"), span("b", "a", None))[0] == {"b": "nested"}


def test_an_outer_span_that_adds_its_calls_up_repeats_them() -> None:
    reasons, found = of(span("a", used=(500, 50)), span("b", "a", (300, 30)), span("c", "a", (200, 20)))
    assert reasons == {"a": "nested"}  # 300 + 200 = 500, 30 + 20 = 50
    assert found.in_doubt.is_empty()


def test_a_call_that_holds_another_one_of_other_usage_is_in_doubt_and_both_count() -> None:
    reasons, found = of(span("a", used=(900, 50)), span("b", "a"))
    assert reasons == {}
    assert found.in_doubt["tokens"].to_list() == [950]


def test_a_call_of_another_model_within_a_call_is_no_doubt() -> None:
    assert of(span("a", used=(900, 50)), span("b", "a", model="robin"))[1].in_doubt.is_empty()


def test_usage_without_operation_counts_on_the_innermost_span_that_carries_it() -> None:
    reasons, _ = of(span("a", role="leaf"), span("b", "a", role="leaf"), span("c", "a", (100, 10), role="leaf"))
    assert reasons == {"a": "repeats"}


def test_an_agent_that_tells_of_more_than_its_calls_leaves_usage_uncounted() -> None:
    reasons, found = of(span("agent", used=(1000, 100), role="frame"), span("b", "agent"))
    assert reasons == {}
    assert found.unused["tokens"].to_list() == [1100 - 330]
    assert of(span("agent", used=(300, 30), role="frame"), span("b", "agent"))[1].unused.is_empty()


def test_only_the_outermost_of_agents_in_agents_says_what_is_missing() -> None:
    frames = (span("a", used=(700, 70), role="frame"), span("b", "a", (700, 70), role="frame"))
    assert of(*frames)[1].unused["tokens"].to_list() == [770]


def test_one_answer_told_by_two_spans_at_one_time_counts_once_and_at_other_times_twice() -> None:
    twice = of(span("a", response_id="r"), span("b", response_id="r", at=1))[0]
    assert twice == {"b": "nested"}
    ended = START + timedelta(seconds=5)
    assert of(span("a", response_id="r", end_at=ended), span("b", response_id="r", at=10))[0] == {}


def test_two_readings_of_one_cache_are_one_call() -> None:
    outer = span("a", used=(2, 30), cached_input_tokens=298, is_cache_open=True)
    assert of(outer, span("b", "a", (300, 30), cached_input_tokens=298))[0] == {"a": "nested"}


def test_a_circle_of_parents_ends() -> None:
    reasons, _ = of(span("a", "b"), span("b", "a"), span("c", "c"))
    assert "c" not in reasons


def test_ten_thousand_spans_of_one_trace_are_settled_in_one_go() -> None:
    spans = [span(str(place), None if place % 10 == 0 else str(place - 1)) for place in range(10_000)]
    assert len(of(*spans)[0]) == 9_000  # of each chain of ten the innermost counts
