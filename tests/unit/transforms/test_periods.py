"""Cutting time: allocation rules, section 4."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from transforms.periods import Grain, cut, is_open


def pieces(start: datetime, end: datetime, grain: Grain) -> list[tuple[datetime, int]]:
    spans = pl.DataFrame(
        {"start": [start], "end": [end]}, schema_overrides=dict.fromkeys(("start", "end"), pl.Datetime("us", "UTC"))
    )
    return cut(spans, grain, start="start", end="end").select("bucket", "microseconds").rows()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_hour_and_a_half_lies_in_two_hours() -> None:
    assert pieces(at("2026-11-20T10:45"), at("2026-11-20T12:15"), "hour") == [
        (at("2026-11-20T10:00"), 15 * 60_000_000),
        (at("2026-11-20T11:00"), 60 * 60_000_000),
        (at("2026-11-20T12:00"), 15 * 60_000_000),
    ]


def test_a_span_is_cut_at_midnight_and_at_the_end_of_the_month() -> None:
    assert pieces(at("2026-10-31T23:00"), at("2026-11-01T02:00"), "day") == [
        (at("2026-10-31T00:00"), 3_600_000_000),
        (at("2026-11-01T00:00"), 7_200_000_000),
    ]


def test_the_end_is_exclusive() -> None:
    assert pieces(at("2026-11-20T10:00"), at("2026-11-20T11:00"), "hour") == [(at("2026-11-20T10:00"), 3_600_000_000)]


def test_a_span_without_length_stands_in_the_bucket_of_its_start() -> None:
    assert pieces(at("2026-11-20T10:59:59.999999"), at("2026-11-20T10:59:59.999999"), "hour") == [
        (at("2026-11-20T10:00"), 1)
    ]


@given(st.integers(-(10**15), 4 * 10**15), st.integers(1, 10**12), st.sampled_from(["hour", "day"]))
def test_the_pieces_of_a_span_add_up_to_it_and_follow_each_other(start: int, length: int, grain: Grain) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    begin, end = (epoch + timedelta(microseconds=value) for value in (start, start + length))
    found = pieces(begin, end, grain)

    width = timedelta(hours=1) if grain == "hour" else timedelta(days=1)
    assert sum(piece for _, piece in found) == length
    assert [bucket for bucket, _ in found] == [found[0][0] + number * width for number in range(len(found))]
    assert found[0][0] <= begin < found[0][0] + width


def test_a_dated_row_holds_from_its_first_day_to_the_day_before_its_last() -> None:
    rows = pl.DataFrame(
        {"valid_from": [date(2026, 11, 1), None], "valid_to": [date(2026, 11, 3), None]},
        schema={"valid_from": pl.Date, "valid_to": pl.Date},
    )
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)]

    assert [rows.select(is_open(pl.lit(day)))["valid_from"].to_list() for day in days] == [
        [False, True],
        [True, True],
        [True, True],
        [False, True],
    ]
