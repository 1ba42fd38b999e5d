"""Landed requests: repeats counted in their files, hours kept in step, and no day reduced without need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from transforms.staging import request_hours
from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land
from warehouse.landing.requests.counter_growth import Growth, land_growth
from warehouse.landing.requests.daily_reduction import refresh_request_hours
from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.reduction import reduce_plainly
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.schemas.landed import Requests
from warehouse.schemas.raw import CounterSamples
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.source import Source
from warehouse.tables import append

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, tzinfo=UTC)
NIGHT_END = START + timedelta(days=1)


@dataclass
class Desk:
    """A warehouse with landed files in order of delivery, brought up to date at will."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    files: list[LandedFile] = field(default_factory=list)

    def deliver(self, name: str, *rows: tuple[str | None, float, int], source: str = "gateway") -> None:
        """A file of requests: identity, hours since the night began, output tokens; each lasts a second a token."""
        schema = {"request_id": pl.String, "hours": pl.Float64, "output_tokens": pl.Int64}
        start = pl.lit(START) + pl.duration(microseconds=(pl.col("hours") * 3_600_000_000).cast(pl.Int64))
        frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("position").with_columns(start_at=start)
        typed = frame.with_columns(
            end_at=pl.col("start_at") + pl.duration(seconds=pl.col("output_tokens")),
            status=pl.lit("ok"),
            requests=pl.lit(1),
            model=pl.lit("atlas"),
        )
        path = write_landed(self.folder / f"{name}.parquet", request_rows(typed, source))
        self.files = sorted([*self.files, LandedFile(f"inbox/{name}", path)], key=lambda landed: landed.file)

    def grow(self) -> Growth:
        """Land what counters grew by."""
        self.folder.parent.mkdir(exist_ok=True)
        growth = land_growth(self.connection, self.folder.parent.parent, DAY + timedelta(days=2))
        self.files = list(growth.files)
        return growth

    def refresh(self, *boundaries: datetime, night_end: datetime = NIGHT_END) -> list[date]:
        """Days that had to be reduced."""
        self.marked = mark_uncounted(self.connection, self.files, DAY + timedelta(days=2))
        self.duplicates = self.marked.duplicates
        return list(refresh_request_hours(self.connection, self.files, request_hours, boundaries, night_end))

    def hours(self) -> list[tuple[datetime, int, int]]:
        """Part of hour, requests, output tokens."""
        query = "SELECT part_start, requests, output_tokens FROM raw.request_hours ORDER BY part_start"
        return self.connection.execute(query).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with connect(tmp_path, Limits(memory="1GB", threads=2)) as connection:
        yield Desk(connection, tmp_path / "landed" / "requests")


def test_a_repeat_is_a_duplicate_in_its_own_file_and_the_latest_end_counts(desk: Desk) -> None:
    desk.deliver("a", ("r1", 1, 5), ("r2", 1, 5), (None, 1, 1), (None, 1, 1))
    desk.deliver("b", ("r1", 1, 9), ("r2", 1, 3))
    desk.refresh()
    assert desk.duplicates == {"inbox/a": 1, "inbox/b": 1}  # r1 of a ends earlier, r2 of b ends earlier
    assert desk.hours() == [(START + timedelta(hours=1), 4, 9 + 5 + 1 + 1)]


def test_equal_repeats_count_where_they_were_delivered_first(desk: Desk) -> None:
    desk.deliver("b", ("r1", 1, 5))
    desk.deliver("a", ("r1", 1, 5), ("r1", 1, 5))
    desk.refresh()
    assert desk.duplicates == {"inbox/a": 1, "inbox/b": 1}


def test_equal_ids_at_other_times_are_requests_of_their_own_and_that_is_said(desk: Desk) -> None:
    desk.deliver("a", ("cmpl-0", 1, 5), ("cmpl-0", 2, 5), ("cmpl-0", 2, 5))
    desk.refresh()
    assert desk.duplicates == {"inbox/a": 1}  # the two at 2:00 are copies
    assert desk.marked.counted == {"inbox/a": 2}
    assert desk.hours() == [(START + timedelta(hours=1), 1, 5), (START + timedelta(hours=2), 1, 5)]
    [notice] = desk.marked.doubts.to_dicts()
    assert (notice["kind"], notice["rows"], notice["tokens"]) == ("ids_repeat", 1, 5)


def test_one_call_begins_where_the_other_ends_and_both_count(desk: Desk) -> None:
    desk.deliver("a", ("cmpl-0", 1, 5), ("cmpl-0", 1 + 5 / 3600, 4))
    desk.refresh()
    assert desk.marked.counted == {"inbox/a": 2}


def test_overlapping_calls_of_one_id_that_tell_of_other_usage_are_in_doubt(desk: Desk) -> None:
    desk.deliver("a", ("cmpl-0", 1, 5), ("cmpl-0", 1 + 2 / 3600, 9))
    desk.refresh()
    [doubt] = desk.marked.doubts.to_dicts()
    assert (doubt["kind"], doubt["tokens"]) == ("copies_differ", 5)
    assert desk.marked.counted == {"inbox/a": 1}


def test_only_days_that_changed_are_reduced_again(desk: Desk) -> None:
    desk.deliver("a", ("r1", -30, 1), ("r2", -1, 2), ("r3", 2, 3))
    assert desk.refresh() == [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]
    assert desk.refresh() == []
    desk.deliver("b", ("r4", 3, 4))
    assert desk.refresh() == [DAY]


def test_a_later_repeat_takes_a_request_from_the_day_it_counted_on(desk: Desk) -> None:
    desk.deliver("a", ("r1", -1 / 3600, 2), ("r2", -1, 2))  # r1 lasts from a second before midnight to one after it
    desk.refresh()
    desk.deliver("b", ("r1", 0, 3))
    assert desk.refresh() == [DAY - timedelta(days=1), DAY]
    assert desk.hours() == [(START - timedelta(hours=1), 1, 2), (START, 1, 3)]


def test_a_file_that_leaves_gives_the_request_back(desk: Desk) -> None:
    desk.deliver("a", ("r1", -1 / 3600, 2))
    desk.deliver("b", ("r1", 0, 3))
    desk.refresh()
    desk.files = desk.files[:1]
    assert desk.refresh() == [DAY - timedelta(days=1)]
    assert desk.hours() == [(START - timedelta(hours=1), 1, 2)]


def test_a_change_of_policy_within_an_hour_parts_it(desk: Desk) -> None:
    desk.deliver("a", ("r1", 1.25, 1), ("r2", 1.5, 2), ("r3", 1.75, 3))
    desk.refresh()
    half_past = START + timedelta(hours=1, minutes=30)
    assert desk.refresh(half_past) == [DAY]
    assert desk.hours() == [(START + timedelta(hours=1), 1, 1), (half_past, 2, 5)]
    assert desk.refresh(half_past) == []


def test_requests_after_the_night_wait_for_theirs(desk: Desk) -> None:
    desk.deliver("a", ("r1", 1, 1), ("r2", 25, 2))
    assert desk.refresh() == [DAY]
    assert desk.refresh(night_end=NIGHT_END + timedelta(days=1)) == [DAY + timedelta(days=1)]
    assert desk.refresh() == []
    assert desk.hours() == [(START + timedelta(hours=1), 1, 1)]  # an earlier night knows nothing of the next day


def test_names_of_folders_are_no_patterns_and_no_sql(tmp_path: Path) -> None:
    strange = tmp_path / "it's [a] *"
    strange.mkdir()
    with connect(strange, Limits(memory="1GB", threads=1)) as connection:
        desk = Desk(connection, strange / "landed" / "requests")
        desk.deliver("a", ("r1", 1, 1), ("r1", 1, 1))
        desk.refresh()
        assert desk.duplicates == {"inbox/a": 1}
        assert len(desk.hours()) == 1


def test_rows_set_aside_while_reading_land_before_those_in_memory(tmp_path: Path) -> None:
    rows = pl.DataFrame({"position": [1, 2, 3], "start_at": [START] * 3, "requests": 1, "status": "ok"})
    typed = request_rows(rows.with_columns(end_at=pl.col("start_at"), input_tokens=pl.lit(1)), "gateway")
    typed[:2].write_parquet(tmp_path / "part")
    path = write_landed(tmp_path / "landed" / "requests" / "a.parquet", typed[2:], [tmp_path / "part"])
    assert pl.read_parquet(path)["position"].to_list() == [1, 2, 3]
    assert pl.read_parquet(path).schema == Requests.polars_schema()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_company_without_a_request_has_no_hours_and_nothing_proved(tmp_path: Path) -> None:
    with closing(connect(tmp_path, Limits())) as connection:
        mark_uncounted(connection, [], datetime(2026, 11, 21, tzinfo=UTC))
        refresh_request_hours(connection, [], request_hours, [], datetime(2026, 11, 21, tzinfo=UTC))

        assert connection.execute("SELECT count(*) FROM raw.request_hours").fetchall() == [(0,)]


def test_calls_that_two_sources_tell_of_under_one_id_at_one_time_are_matched_and_others_are_not(desk: Desk) -> None:
    desk.deliver("a", ("r1", 1, 9), ("r2", 2, 5), source="gateway")
    desk.deliver("b", ("r1", 1 + 1 / 3600, 5), ("r2", 9, 5), source="sdk")  # r2 at another time is another call
    desk.refresh()
    [match] = desk.marked.matching_calls.to_dicts()
    assert (match["source"], match["counterpart"], match["requests"], match["tokens"]) == ("sdk", "gateway", 1, 5)
    assert desk.marked.counted == {"inbox/a": 2, "inbox/b": 2}


def test_a_hundred_thousand_overlapping_calls_of_one_id_count_once_and_are_in_doubt(desk: Desk) -> None:
    rows = [("cmpl-0", place / 3600, 3) for place in range(50_000)]  # one a second, each lasts three
    desk.deliver("a", *rows, source="gateway")
    desk.deliver("b", *rows, source="sdk")
    desk.refresh(night_end=NIGHT_END)
    assert desk.marked.counted == {"inbox/a": 1, "inbox/b": 1}
    in_doubt = [doubt["rows"] for doubt in desk.marked.doubts.to_dicts() if doubt["kind"] == "copies_differ"]
    assert in_doubt == [50_000 - 3] * 2  # the last three overlap the one that counts, the others only one another


def test_one_call_that_a_gateway_translates_is_logged_some_milliseconds_apart(desk: Desk) -> None:
    """Of five calls of equal size two are logged twice: 3 ms apart, and 250 ms apart within the other.

    The others come a second after one, overlapping it, and an hour later.
    """
    rows = {
        "position": [1, 2, 3, 4, 5, 6, 7],
        "request_id": ["resp_1", "chatcmpl-1", "chatcmpl-2", "resp_3", "chatcmpl-3", "resp_4", "chatcmpl-4"],
        "call_type": [
            *("aresponses", "acompletion", "acompletion"),
            *("aresponses", "acompletion", "aresponses", "acompletion"),
        ],
        "start_ms": [0, 3, 1_003, 3_600_000, 3_600_250, 7_200_000, 7_200_500],
        "took_ms": [900, 900, 900, 1_000, 700, 900, 900],
    }
    frame = pl.DataFrame(rows).with_columns(
        start_at=pl.lit(START) + pl.duration(milliseconds="start_ms"), requests=pl.lit(1), status=pl.lit("ok"),
        model=pl.lit("robin"), input_tokens=pl.lit(2000), output_tokens=pl.lit(300),
    )  # fmt: skip
    ended = pl.col("start_at") + pl.duration(milliseconds="took_ms")
    typed = frame.with_columns(end_at=ended).drop("start_ms", "took_ms")
    path = write_landed(desk.folder / "a.parquet", request_rows(typed, "gateway"))
    desk.files = [LandedFile("inbox/a", path)]
    desk.refresh()
    doubts = desk.marked.doubts.select("kind", "subject", "rows", "tokens").rows()
    assert doubts == [("call_logged_twice", "robin", 2, 2 * 2300)]


def test_what_was_decided_of_cached_tokens_is_said_by_source_and_model(desk: Desk) -> None:
    rows = {
        "position": [1, 2, 3],
        "model": ["a", "a", "b"],
        "input_tokens": [10, 50, 50],
        "cached_input_tokens": [40, 9, 9],
    }
    frame = pl.DataFrame(rows).with_columns(
        start_at=pl.lit(START),
        end_at=pl.lit(START),
        requests=pl.lit(1),
        status=pl.lit("ok"),
        is_cache_open=pl.lit(value=True),
    )
    path = write_landed(desk.folder / "a.parquet", request_rows(frame, "gateway"))
    desk.files = [LandedFile("inbox/a", path)]
    desk.refresh()
    said = {
        doubt["subject"]: (doubt["kind"], doubt["rows"], doubt["tokens"]) for doubt in desk.marked.doubts.to_dicts()
    }
    assert said == {"a": ("cached_beside", 2, 49), "b": ("cached_inside", 1, 9)}  # 40 of 10 proves it for model a
    query = "SELECT sum(input_tokens) FROM raw.request_hours"
    assert desk.connection.execute(query).fetchall() == [(10 + 40 + 50 + 9 + 50,)]


def test_counters_land_by_day_and_only_days_that_changed_are_written_again(desk: Desk) -> None:
    scrape_counters(desk, ("a", 10, 100), ("a", 11, 150), ("b", 30, 5), ("b", 31, 9))
    growth = desk.grow()
    assert desk.refresh(night_end=NIGHT_END + timedelta(days=1)) == [DAY, DAY + timedelta(days=1)]
    assert desk.hours() == [(START + timedelta(hours=10), 0, 50), (START + timedelta(hours=30), 0, 4)]
    scrape_counters(desk, ("b", 32, 10))
    assert desk.grow().files[0] == growth.files[0]
    assert desk.refresh(night_end=NIGHT_END + timedelta(days=1)) == [DAY + timedelta(days=1)]
    growth.files[0].path.unlink()
    assert desk.grow().files[0].path.exists()  # what is kept below var/ may go at any time


def test_percentiles_that_buckets_tell_of_reach_the_hours_by_both_plans(desk: Desk) -> None:
    scrape_counters(desk, ("a", 10, 0), ("a", 11, 50))
    for bound, count in ((1_000_000, 2), (2_000_000, 4), (None, 4)):  # 2 of 4 within a second, 4 within two
        scrape_counters(desk, ("a", 10, 0), ("a", 11, count), counter="requests_within", bound_us=bound)
    desk.grow()
    desk.refresh()
    query = "SELECT output_tokens, duration_s_p50, duration_s_p95 FROM raw.request_hours"
    assert desk.connection.execute(query).fetchall() == [(50, 1.0, 1.9)]  # 3.8 of 4: 1.8 of the 2 from 1 to 2 s
    plain = reduce_plainly(desk.connection, desk.files, request_hours, (), [DAY])
    assert plain.select("output_tokens", "duration_s_p50", "duration_s_p95").rows() == [(50, 1.0, 1.9)]


def scrape_counters(
    desk: Desk, *scrapes: tuple[str, float, int], counter: str = "output_tokens", bound_us: int | None = None
) -> None:
    """Scrapes of servers: name, hours since the night began, output tokens or another counter."""
    rows = [
        {
            "file_sha256": f"{target}{hours}",
            "location": "line 1",
            "source": "vllm",
            "target": target,
            "series": f"{counter} {bound_us}",
            "counter": counter,
            "bound_us": bound_us,
            "status": "ok",
            "model": "atlas",
            "scraped_at": START + timedelta(hours=hours),
            "value": value,
        }
        for target, hours, value in scrapes
    ]
    append(
        desk.connection,
        CounterSamples.qualified(),
        CounterSamples.frame(pl.DataFrame(rows, schema_overrides={"bound_us": pl.Int64})),
    )


def test_usage_of_one_source_in_two_groupings_holds_the_night(tmp_path: Path) -> None:
    bucket = {"start_time": int(START.timestamp()), "end_time": int(START.timestamp()) + 3600}
    usage = {"input_tokens": 10, "output_tokens": 1, "num_model_requests": 1, "model": "m"}
    source = Source("openai", "request_telemetry", "openai_usage", "inbox/*.json")
    (tmp_path / "inbox").mkdir()
    holds = []
    for name, result in {"a": usage, "b": usage | {"input_tokens": 11}, "c": usage | {"project_id": "p"}}.items():
        page = {"data": [bucket | {"results": [result]}], "has_more": False}
        (tmp_path / f"inbox/{name}.json").write_text(json.dumps(page))
        with connect(tmp_path / "var", Limits(memory="1GB", threads=1)) as connection:
            landing = land(Workspace(tmp_path, tmp_path / "var"), [source], connection, DAY, DAY)
        holds.append([(hold.reason, hold.detail.partition(";")[0]) for hold in landing.holds])
    # what a.json tells, b.json tells as it is now: a copy
    sentence = "inbox/b.json has usage by model and inbox/c.json by model, project_id"
    assert holds == [[], [], [("same_usage", sentence)]]
