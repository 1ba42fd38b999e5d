"""Requests of any table: canonical or named columns, constants, clocks, aggregates, units, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests import table
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def source(columns: dict[str, str] | None = None, constants: dict[str, str] | None = None, **options: str) -> Source:
    return Source(
        "gateway",
        "request_telemetry",
        "table",
        "inbox/*",
        columns=columns or {},
        constants=constants or {},
        options=options,
    )


def read(folder: Path, text: str, settings: Source | None = None, file: str = "inbox/log.csv") -> Reading:
    content = folder / "content"
    content.write_bytes(text.encode())
    return table.read(Delivered(file, "ab" * 32, 1, content, NIGHT), settings or source())


def requests(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["requests"].to_dicts()


def test_a_table_of_canonical_columns_needs_no_settings(tmp_path: Path) -> None:
    text = (
        "request_id,start_at,end_at,model,status,input_tokens,cached_input_tokens,output_tokens,team,tenant,task\n"
        "r1,2026-11-20T01:00:00Z,2026-11-20T01:00:03.5Z,atlas,ok,100,40,7,core,t1,chat\n"
    )
    [request] = requests(read(tmp_path, text))
    assert request["start_at"] == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (request["duration_us"], request["day"]) == (3_500_000, date(2026, 11, 20))
    assert (request["input_tokens"], request["cached_input_tokens"], request["output_tokens"]) == (100, 40, 7)
    assert [request[name] for name in ("request_id", "model", "team", "tenant", "task", "status")] == [
        "r1",
        "atlas",
        "core",
        "t1",
        "chat",
        "ok",
    ]


def test_named_columns_constants_seven_digits_and_an_open_last_line_are_read(tmp_path: Path) -> None:
    header = "TIMESTAMP,ContextTokens,GeneratedTokens"
    text = f"{header}\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951699,396,109"
    columns = {"start_at": "TIMESTAMP", "input_tokens": "ContextTokens", "output_tokens": "GeneratedTokens"}
    reading = read(tmp_path, text, source(columns, {"model": "llama-405b"}))
    first, second = requests(reading)
    assert (first["start_at"].microsecond, second["start_at"].microsecond) == (680590, 995169)  # cut, not rounded
    assert (second["output_tokens"], second["model"], second["status"]) == (109, "llama-405b", "ok")
    assert reading.flags == ("no_identity", "tz_assumed")


def test_a_clock_of_numbers_counts_from_its_origin(tmp_path: Path) -> None:
    text = "timestamp,input_length,output_length\n0,10,1\n1500.25,20,2\n"
    columns = {"start_at": "timestamp", "input_tokens": "input_length", "output_tokens": "output_length"}
    settings = source(columns, time_unit="ms", time_origin="2026-11-20T00:00:00Z")
    starts = [request["start_at"] for request in requests(read(tmp_path, text, settings))]
    assert starts == [datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 0, 0, 1, 500250, tzinfo=UTC)]


def test_times_without_offset_have_the_zone_of_the_source(tmp_path: Path) -> None:
    text = "start_at\n2026-06-01 12:00:00\n2026-10-25 02:30:00\n"
    reading = read(tmp_path, text, source(timezone="Europe/Berlin"))
    assert [request["start_at"] for request in requests(reading)] == [datetime(2026, 6, 1, 10, tzinfo=UTC)]
    assert reading.refused["reason"].to_list() == ["ambiguous_time"]  # 02:30 occurs twice that night


def test_durations_first_tokens_and_deployments_may_be_stated(tmp_path: Path) -> None:
    text = (
        "start_at,duration_s,duration_ms,ttft_ms,first_token_at,deployment_id\n"
        "2026-11-20T01:00:00Z,2.25,,150,,d1\n"
        "2026-11-20T01:00:00Z,,40,,2026-11-20T01:00:00.030Z,\n"
    )
    first, second = requests(read(tmp_path, text))
    assert (first["duration_us"], first["ttft_us"], first["deployment"]) == (2_250_000, 150_000, "d1")
    assert first["end_at"] == datetime(2026, 11, 20, 1, 0, 2, 250_000, tzinfo=UTC)
    assert (second["duration_us"], second["ttft_us"], second["deployment"]) == (40_000, 30_000, None)


def test_aggregates_by_the_hour_count_as_many_requests_as_they_say(tmp_path: Path) -> None:
    [hour] = requests(read(tmp_path, "hour,requests,input_tokens\n2026-11-20T05:00:00Z,120,9000\n"))
    assert (hour["requests"], hour["input_tokens"], hour["start_at"].hour) == (120, 9000, 5)


def test_input_may_be_delivered_in_two_parts(tmp_path: Path) -> None:
    text = "start_at,uncached_input_tokens,cached_input_tokens\n2026-11-20T01:00:00Z,60,40\n"
    assert requests(read(tmp_path, text))[0]["input_tokens"] == 100


def test_units_are_stated_or_follow_from_the_request(tmp_path: Path) -> None:
    text = (
        "start_at,units,units_per_request,steps_per_unit,unit_name\n"
        "2026-11-20T01:00:00Z,2.5,,,second\n2026-11-20T01:00:00Z,,4,,image\n2026-11-20T01:00:00Z,,4,30,pixel_step\n"
    )
    units = [request["units_micro"] for request in requests(read(tmp_path, text))]
    assert units == [2_500_000, 4_000_000, 120_000_000]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCEED", "ok"),
        ("200", "ok"),
        ("Completed", "ok"),
        ("FAILED", "error"),
        ("503", "error"),
        ("429", "error"),
        ("timeout", "error"),
        ("499", "cancelled"),
        ("aborted", "cancelled"),
        ("PROCESSING", "pending"),
        ("queued", "pending"),
        ("martian", "unknown"),
        ("", "unknown"),
    ],
)
def test_status_words_have_one_meaning(tmp_path: Path, word: str, status: str) -> None:
    text = f"start_at,status\n2026-11-20T01:00:00Z,{word}\n"
    assert requests(read(tmp_path, text))[0]["status"] == status


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"request_id": ""}, "missing_key"),
        ({"start_at": ""}, "bad_date"),
        ({"start_at": "2026-02-30T00:00:00Z"}, "bad_date"),
        ({"start_at": "2027-06-01T00:00:00Z", "end_at": ""}, "date_out_of_range"),
        ({"end_at": "2026-11-19T01:00:00Z"}, "end_before_start"),
        ({"input_tokens": "-5"}, "bad_count"),
        ({"output_tokens": "12.5"}, "bad_count"),
        ({"output_tokens": "many"}, "bad_count"),
        ({"output_tokens": "9999999999999999"}, "bad_count"),
        ({"cached_input_tokens": "101"}, "token_mismatch"),
        ({"input_tokens": "-5", "start_at": ""}, "bad_date"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_for_the_first_reason(
    tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    good = {
        "request_id": "r1",
        "start_at": "2026-11-20T01:00:00Z",
        "end_at": "2026-11-20T01:00:01Z",
        "input_tokens": "100",
        "cached_input_tokens": "0",
        "output_tokens": "1",
    }
    text = "\n".join([",".join(good), ",".join(good.values()), ",".join((good | change).values())]) + "\n"
    reading = read(tmp_path, text)
    assert reading.refused.select("location", "reason").rows() == [("line 3", reason)]
    assert (reading.rows, len(requests(reading))) == (2, 1)


def test_large_counts_and_whole_fractions_are_counts(tmp_path: Path) -> None:
    text = "start_at,input_tokens,output_tokens\n2026-11-20T01:00:00Z,5000000000,12.0\n"
    [request] = requests(read(tmp_path, text))
    assert (request["input_tokens"], request["output_tokens"]) == (5_000_000_000, 12)


def test_columns_that_nobody_named_are_stored_nowhere(tmp_path: Path) -> None:
    text = (
        "request_id,start_at,output_tokens,prompt,user_email\n"
        "r1,2026-11-20T01:00:00Z,5,CANARY please,canary@example.com\n"
        "r2,2026-11-20T01:00:00Z,many,CANARY please,canary@example.com\n"
        "r3,2026-11-20T01:00:00Z,CANARY please\n"
    )
    reading = read(tmp_path, text)
    kept = f"{requests(reading)} {reading.refused.to_dicts()}"
    assert "CANARY" not in kept
    assert "canary@" not in kept
    assert sorted(reading.refused["reason"]) == ["bad_count", "short_row"]


def test_json_lines_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"request_id": f"r{each}", "start_at": "2026-11-20T01:00:00Z", "input_tokens": each} for each in range(3)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    from_lines = read(tmp_path, lines, file="inbox/log.jsonl").frames["requests"]
    typed = pl.DataFrame(rows).with_columns(pl.col("start_at").str.to_datetime(time_zone="UTC"))
    typed.write_parquet(tmp_path / "content.parquet")
    delivered = Delivered("inbox/log.parquet", "ab" * 32, 1, tmp_path / "content.parquet", NIGHT)
    [landed] = table.read(delivered, source()).parts["requests"]  # what is typed is landed as it is, beside the content
    assert pl.read_parquet(landed).select(from_lines.columns).equals(from_lines)


def test_a_column_that_the_settings_name_must_be_there(tmp_path: Path) -> None:
    named = source({"input_tokens": "ContextTokens"})
    with pytest.raises(RejectedFile, match=r"missing_column.*ContextTokens"):
        read(tmp_path, "start_at,context_tokens\n2026-11-20T01:00:00Z,5\n", named)


def test_a_column_that_is_missing_is_told_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r'\[source\.columns\] start_at = "its name in the file"'):
        read(tmp_path, "at,input_tokens\n2026-11-20T01:00:00Z,5\n")


def test_positions_follow_the_file(tmp_path: Path) -> None:
    text = "start_at,input_tokens\n2026-11-20T01:00:00Z,1\n2026-11-20T01:00:00Z,x\n2026-11-20T01:00:00Z,3\n"
    assert [request["position"] for request in requests(read(tmp_path, text))] == [1, 3]


def test_a_refused_request_is_told_by_its_cell_unless_that_may_name_somebody(tmp_path: Path) -> None:
    rows = ("r1,2026-11-20T01:00:00Z,5,ana", "r2,2026-11-20T01:00:00Z,1e-3,ana", 'r3,2026-11-20T01:00:00Z,5,"a\x01na"')
    reading = read(tmp_path, "\n".join(("request_id,start_at,input_tokens,tenant", *rows)) + "\n")
    told = reading.refused.sort("location").select("reason", "detail").rows()
    assert told == [("bad_count", "input_tokens: '1e-3'"), ("control_char", None)]
