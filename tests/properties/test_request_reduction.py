"""The plan that runs a hundred million requests on one machine gives what the definition gives."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.staging import request_hours
from warehouse.landing.requests import identities
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import passes, reduce_on_duckdb, reduce_plainly
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.schemas.landed import Requests
from warehouse.schemas.raw import RequestHours
from warehouse.sources.requests.request_rows import request_rows

DAYS = [date(2026, 11, 19), date(2026, 11, 20)]
START = datetime(2026, 11, 19, tzinfo=UTC)

seconds = st.integers(0, 2 * 86_400 - 1).map(lambda at: START + timedelta(seconds=at, microseconds=at))
names = st.none() | st.sampled_from(["a", "b", "", "ä", "'"])
counts = st.none() | st.integers(0, 3) | st.integers(0, 10**12)
request = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["s1", "s2"]),
        "request_id": st.none() | st.integers(0, 6).map(str),
        "start_at": seconds,
        "took": st.none() | st.integers(0, 20_000_000),
        "model": names,
        "deployment": names,
        "team": names,
        "tenant": names,
        "task": names,
        "status": st.sampled_from(["ok", "error", "pending"]),
        "requests": st.sampled_from([0, 1, 1, 1, 5]),
        "input_tokens": counts,
        "cached_input_tokens": counts,
        "output_tokens": counts,
        "units_micro": counts,
        "unit_name": st.none() | st.just("image"),
        "ttft_us": counts,
    }
)
boundary = st.integers(0, 48 * 12).map(lambda twelfth: START + timedelta(minutes=5 * twelfth))


def typed(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {"took": pl.Int64, **{name: dtype for name, dtype in Requests.polars_schema().items() if name in rows[0]}}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("position")
    frame = frame.with_columns(end_at=pl.col("start_at") + pl.duration(microseconds=pl.col("took")))
    return pl.concat(request_rows(part, source) for (source,), part in frame.group_by("source")).sort("position")


def landed(folder: Path, rows: list[dict[str, object]], place: int) -> LandedFile:
    return LandedFile(f"inbox/{place}", write_landed(folder / f"{place}.parquet", typed(rows)))


@settings(max_examples=25)
@given(
    st.lists(st.lists(request, min_size=1, max_size=14), min_size=1, max_size=4),
    st.lists(boundary, max_size=5),
    st.sampled_from([7, 20, 40]),
)
def test_both_plans_give_the_same_rows(
    files: list[list[dict[str, Any]]], boundaries: list[datetime], rows_per_pass: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        delivered = [landed(Path(folder), rows, place) for place, rows in enumerate(files)]
        duplicates = mark_uncounted(connection, delivered, DAYS[-1]).duplicates
        rows_by_day = dict.fromkeys(DAYS, 20)
        fast = reduce_on_duckdb(connection, delivered, request_hours, boundaries, rows_by_day, rows_per_pass)
        plain = reduce_plainly(connection, delivered, request_hours, boundaries, DAYS)
        assert fast.to_dicts() == plain.to_dicts()
        assert fast.equals(plain)
        total = sum(len(rows) for rows in files)
        assert total - sum(duplicates.values()) == _distinct(files)


def hours_of(rows: pl.DataFrame, boundaries: list[datetime]) -> pl.DataFrame:
    reduced = request_hours.reduced(nw.from_native(rows.lazy()), boundaries).to_native().collect()
    return RequestHours.frame(reduced).sort(*request_hours.KEYS, nulls_last=True)


@settings(max_examples=20)
@given(
    st.lists(request, min_size=1, max_size=20),
    st.lists(boundary, max_size=3),
    st.sampled_from([["start_at"], ["tenant"], ["source", "model"], ["day", "tenant", "task"]]),
    st.integers(1, 5),
)
def test_slices_that_cut_no_group_are_put_together_as_they_are(
    requests: list[dict[str, object]], boundaries: list[datetime], cut_by: list[str], of: int
) -> None:
    rows = typed(requests)
    hour_or_name = [pl.col(name).dt.truncate("1h") if name == "start_at" else pl.col(name) for name in cut_by]
    slices = rows.with_columns(slice=pl.struct(hour_or_name).hash() % of).partition_by("slice", include_key=False)
    together = pl.concat(hours_of(each, boundaries) for each in slices)
    assert together.sort(*request_hours.KEYS, nulls_last=True).equals(hours_of(rows, boundaries))


def _distinct(files: list[list[dict[str, Any]]]) -> int:
    rows = [row for file in files for row in file]
    identified: dict[tuple[object, object], list[tuple[Any, Any]]] = {}
    for row in rows:
        if row["request_id"] is not None:
            times = (row["start_at"], row["start_at"] + timedelta(microseconds=row["took"] or 0))
            identified.setdefault((row["source"], row["request_id"]), []).append(times)
    return sum(map(_apart, identified.values())) + sum(row["request_id"] is None for row in rows)


def _apart(times: list[tuple[Any, Any]]) -> int:
    """How many of the times have begun when all before them were over."""
    groups: list[list[tuple[Any, Any]]] = []
    for start, end in sorted(times):
        joins = any(start < stop or start == begin or start == stop == end for begin, stop in chain(*groups[-1:]))
        groups = [*groups[:-1], [*groups[-1], (start, end)]] if joins else [*groups, [(start, end)]]
    return len(groups)


@given(
    st.dictionaries(st.integers(0, 30).map(lambda n: DAYS[0] + timedelta(n)), st.integers(0, 100)), st.integers(1, 90)
)
def test_passes_hold_every_day_once_and_none_is_larger_than_allowed_unless_cut(
    rows_by_day: dict[date, int], rows_per_pass: int
) -> None:
    found = list(passes(rows_by_day, rows_per_pass))
    turns = [(day, turn.turn) for turn in found for day in turn.days]
    assert sorted(day for day, turn in turns if turn == 0) == sorted(rows_by_day)
    assert len(turns) == len(set(turns))
    for turn in found:
        assert sum(rows_by_day[day] for day in turn.days) <= rows_per_pass * turn.of or turn.of == 24


def test_ids_may_be_compared_in_several_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(identities, "HASHES_PER_PASS", 3)
    row = {"source": "s1", "start_at": START, "took": 1, "requests": 1, "status": "ok"}
    blank = dict.fromkeys(("model", "deployment", "team", "tenant", "task", "unit_name"))
    numbers = dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens", "units_micro", "ttft_us"))
    rows = [{**row, **blank, **numbers, "request_id": str(each % 7)} for each in range(10)]
    with duckdb.connect() as connection:
        files = [landed(tmp_path, rows, 0), landed(tmp_path, rows[:2], 1)]
        # ids 0, 1, 2 come again in the first file (10 rows, 7 ids); both rows of the second repeat the first
        assert mark_uncounted(connection, files, DAYS[-1]).duplicates == {"inbox/0": 3, "inbox/1": 2}
