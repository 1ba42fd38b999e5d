"""Saved pages of usage APIs: buckets, groups, cached tokens, pages that overlap, and pages that are no usage."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from warehouse.landing.requests.landed_parquet import LandedFile, write_landed
from warehouse.landing.requests.uncounted import mark_uncounted
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
OPENAI = Source("openai", "request_telemetry", "openai_usage", "inbox/*")
ANTHROPIC = Source("anthropic", "request_telemetry", "anthropic_usage", "inbox/*")
MIDNIGHT = 1_795_132_800
HOURS = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": MIDNIGHT + 3600 * hour,
            "end_time": MIDNIGHT + 3600 * (hour + 1),
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000 + hour,
                    "output_tokens": 500,
                    "input_cached_tokens": 800,
                    "input_audio_tokens": 0,
                    "output_audio_tokens": 0,
                    "num_model_requests": 5,
                    "project_id": "proj_search",
                    "user_id": "user-CANARY",
                    "api_key_id": "key_CANARY",
                    "model": "gpt-5-mini-2026-08-07",
                    "batch": False,
                    "service_tier": None,
                },
            ],
        }
        for hour in range(3)
    ],
    "has_more": True,
    "next_page": "page_AAAAAGdGxdEiJdKOAAAAAGcqsYA=",
}
MESSAGES = {
    "data": [
        {
            "starting_at": "2026-11-20T00:00:00Z",
            "ending_at": "2026-11-21T00:00:00Z",
            "results": [
                {
                    "uncached_input_tokens": 1500,
                    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
                    "cache_read_input_tokens": 200,
                    "output_tokens": 505,
                    "server_tool_use": {"web_search_requests": 10},
                    "api_key_id": "apikey_CANARY",
                    "workspace_id": "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
                    "model": "claude-sonnet-5",
                    "service_tier": "standard",
                    "context_window": "0-200k",
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}


def read(folder: Path, *pages: Mapping[str, Any], source: Source = OPENAI, text: str | None = None) -> Reading:
    content = folder / "content"
    content.write_text("\n".join(json.dumps(page) for page in pages) if text is None else text)
    delivered = Delivered("inbox/page.json", "ab" * 32, 1, content, NIGHT)
    return FORMATS[source.kind, source.format].read(delivered, source)


def changed(page: Mapping[str, Any], **members: object) -> dict[str, Any]:
    """A page whose first result says something else."""
    copied: dict[str, Any] = copy.deepcopy(dict(page))
    copied["data"][0]["results"][0] |= members
    return copied


def counted(folder: Path, readings: Sequence[Reading]) -> pl.DataFrame:
    """The rows of several files that count."""
    (folder / "landed").mkdir(exist_ok=True)
    files = [
        LandedFile(f"page {place}", write_landed(folder / "landed" / f"{place}.parquet", reading.frames["requests"]))
        for place, reading in enumerate(readings)
    ]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        marked = mark_uncounted(connection, files, date(2026, 11, 30))
        assert marked.doubts.is_empty()  # pages that overlap are no doubt
        copies = connection.sql("SELECT landed, position FROM meta.uncounted_requests").pl()
    rows = pl.concat([pl.read_parquet(file.path).with_columns(landed=pl.lit(file.path.name)) for file in files])
    return rows.join(copies, on=["landed", "position"], how="anti")


def test_a_bucket_of_an_hour_is_a_row_for_each_group_with_its_cached_tokens_inside(tmp_path: Path) -> None:
    found = read(tmp_path, HOURS)
    rows = found.frames["requests"]
    sums = rows.select(pl.col("requests", "input_tokens", "cached_input_tokens", "output_tokens").sum())
    assert sums.row(0) == (15, 1000 + 1001 + 1002, 2400, 1500)
    row = rows.to_dicts()[1]
    assert (row["start_at"], row["model"], row["deployment"]) == (
        datetime(2026, 11, 20, 1, tzinfo=UTC),
        "gpt-5-mini-2026-08-07",
        "proj_search",
    )
    assert (row["duration_us"], row["ttft_us"], found.flags) == (
        None,
        None,
        ("grouped_by-model-project_id-user_id", "has_more"),
    )
    assert (found.rows, found.counted, "CANARY" in str(rows.to_dicts())) == (3, None, False)


def test_pages_stand_in_one_file_a_line_as_well(tmp_path: Path) -> None:
    later = copy.deepcopy(HOURS)
    later["data"] = [bucket | {"start_time": bucket["start_time"] + 10_800} for bucket in HOURS["data"]]  # type: ignore[attr-defined, index]
    for bucket in later["data"]:  # type: ignore[attr-defined]
        bucket["end_time"] = bucket["start_time"] + 3600
    later["has_more"] = False
    found = read(tmp_path, HOURS, later)
    assert (found.rows, "has_more" in found.flags) == (6, False)


def test_pages_that_overlap_count_once_and_a_bucket_that_has_grown_counts_as_it_is_now(tmp_path: Path) -> None:
    grown = changed(HOURS, input_tokens=1700, output_tokens=900, num_model_requests=9)
    files = [read(tmp_path, grown), read(tmp_path, HOURS)]
    for order in (files, files[::-1]):
        rows = counted(tmp_path, order)
        assert rows.select(pl.col("requests", "input_tokens", "output_tokens").sum()).row(0) == (19, 3703, 1900)


def test_a_bucket_of_a_day_is_spread_over_its_hours_to_the_last_token(tmp_path: Path) -> None:
    day = changed(HOURS, input_tokens=2407, num_model_requests=3)
    day["data"] = [day["data"][0] | {"end_time": MIDNIGHT + 86_400}]
    found = read(tmp_path, day)
    rows = found.frames["requests"]
    assert (found.rows, rows["input_tokens"].to_list()) == (24, [101] * 7 + [100] * 17)
    assert rows.select(pl.col("requests", "output_tokens", "cached_input_tokens").sum()).row(0) == (3, 500, 800)
    assert "spread_evenly" in found.flags
    assert rows["is_growth"].all()  # an hour without a whole request keeps its tokens


def test_where_hours_and_days_tell_of_the_same_usage_the_hours_count(tmp_path: Path) -> None:
    day = changed(HOURS, input_tokens=24_000)
    day["data"] = [day["data"][0] | {"end_time": MIDNIGHT + 86_400}]
    rows = counted(tmp_path, [read(tmp_path, day), read(tmp_path, HOURS)])
    assert rows["input_tokens"].sum() == 21 * 1000 + 1000 + 1001 + 1002


def test_other_groups_are_other_usage(tmp_path: Path) -> None:
    other = changed(HOURS, project_id="proj_other")
    assert counted(tmp_path, [read(tmp_path, HOURS), read(tmp_path, other)]).height == 4


def test_images_and_seconds_are_units(tmp_path: Path) -> None:
    images = changed(HOURS, object="organization.usage.images.result", images=4, input_tokens=None, output_tokens=None)
    images["data"][0]["results"][0].pop("input_cached_tokens")
    row = read(tmp_path, images).frames["requests"].to_dicts()[0]
    assert (row["units_micro"], row["unit_name"], row["input_tokens"]) == (4_000_000, "image", None)


def test_anthropic_counts_the_cache_beside_the_uncached_input(tmp_path: Path) -> None:
    found = read(tmp_path, MESSAGES, source=ANTHROPIC)
    rows = found.frames["requests"]
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    assert rows.select(pl.col(names).sum()).row(0) == (1500 + 200 + 1500, 200, 1500, 505)
    assert (found.rows, rows["deployment"].unique().to_list()) == (24, ["wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"])
    assert not rows["is_cache_open"].any()
    assert "CANARY" not in str(rows.to_dicts())


def test_settings_name_a_field_or_a_constant(tmp_path: Path) -> None:
    source = replace(OPENAI, columns={"team": "project_id"}, constants={"task": "chat"})
    row = read(tmp_path, HOURS, source=source).frames["requests"].to_dicts()[0]
    assert (row["team"], row["task"]) == ("proj_search", "chat")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"input_tokens": -1}, "bad_count"),
        ({"output_tokens": 1.5}, "bad_count"),
        ({"num_model_requests": "5"}, "bad_count"),
        ({"input_cached_tokens": 1001}, "token_mismatch"),
    ],
)
def test_a_result_that_contradicts_itself_is_refused_with_its_place(
    tmp_path: Path, members: dict[str, object], reason: str
) -> None:
    found = read(tmp_path, changed(HOURS, **members))
    assert found.refused.select("location", "reason").rows() == [("$.data[0].results[0]", reason)]
    assert (found.rows, found.frames["requests"].height) == (3, 2)


def test_buckets_out_of_time_are_refused(tmp_path: Path) -> None:
    page = copy.deepcopy(HOURS)
    late = MIDNIGHT + 30 * 86_400
    spans = [(late, late + 3600), (MIDNIGHT, MIDNIGHT), ("2026-11-20", MIDNIGHT)]
    for bucket, (start, end) in zip(page["data"], spans, strict=True):  # type: ignore[arg-type, call-overload]
        bucket |= {"start_time": start, "end_time": end}
    assert read(tmp_path, page).refused["reason"].to_list() == ["date_out_of_range", "end_before_start", "bad_date"]


def test_files_that_are_no_pages_of_usage_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match="save each answer whole"):
        read(tmp_path, text=json.dumps(HOURS)[:-40])
    with pytest.raises(RejectedFile, match="format table"):
        read(tmp_path, changed(HOURS, object="organization.costs.result"))
    with pytest.raises(RejectedFile, match="format table"):
        read(tmp_path, changed(MESSAGES, amount="123.45"), source=ANTHROPIC)
    with pytest.raises(RejectedFile, match="no list `data`"):
        read(tmp_path, {"error": {"message": "CANARY"}})


def test_hours_without_usage_are_an_answer_and_hold_no_row(tmp_path: Path) -> None:
    silent = copy.deepcopy(HOURS)
    for bucket in silent["data"]:  # type: ignore[attr-defined]
        bucket["results"] = []
    assert [read(tmp_path, page).rows for page in (silent, HOURS | {"data": []})] == [0, 0]
