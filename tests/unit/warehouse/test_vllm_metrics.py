"""Scrapes of serving processes: counters per series, restarts, strangers under one name, and what each file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.landing.requests.counter_growth import Growth, growth_files, land_growth
from warehouse.schemas.raw import CounterSamples
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source
from warehouse.tables import append

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("vllm", "request_telemetry", "vllm_metrics", "inbox/vllm/*")
LABELS = 'engine="0",model_name="kestrel"'
SCRAPE = """\
# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79514e+09
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="kestrel"} 6.0
# HELP vllm:prefix_cache_hits_total Prefix cache hits, in terms of number of cached tokens.
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="kestrel"} 400.0
vllm:gpu_prefix_cache_hits_total{engine="0",model_name="kestrel"} 400.0
vllm:external_prefix_cache_hits_total{engine="0",model_name="kestrel"} 0.0
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="kestrel"} 8.128902e+06
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{engine="0",model_name="kestrel"} 1.7951401e+09
vllm:generation_tokens_total{engine="0",model_name="kestrel"} 826.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="kestrel"} 3.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="kestrel"} 1.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="kestrel"} 2.0
vllm:request_success_total{engine="0",finished_reason="error",model_name="kestrel"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.1",model_name="kestrel"} 2.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="kestrel"} 4.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="kestrel"} 0.44
vllm:e2e_request_latency_seconds_sum{engine="0",model_name="kestrel"} 12.5
"""


def read(folder: Path, text: str, file: str = "inbox/vllm/kestrel-0_2026-11-20T10:00:00Z.prom") -> Reading:
    content = folder / "content"
    content.write_bytes(text.encode())
    delivered = Delivered(file, f"{abs(hash(file + text)):064x}", 1, content, NIGHT)
    return FORMATS["request_telemetry", "vllm_metrics"].read(delivered, SOURCE)


def prompts(value: float, labels: str = LABELS, begun: float | None = None) -> str:
    start = "" if begun is None else f"process_start_time_seconds {begun}\n"
    return f"{start}vllm:prompt_tokens_total{{{labels}}} {value}\n"


def grown(folder: Path, scrapes: Mapping[str, str]) -> tuple[pl.DataFrame, Growth]:
    """What is landed of scrapes by file name, and what was noticed."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw")
        connection.execute(CounterSamples.ddl())
        for name, text in scrapes.items():
            rows = read(folder, text, f"inbox/vllm/{name}.prom").frames["counter_samples"]
            append(connection, CounterSamples.qualified(), rows)
        (folder / "landed").mkdir(exist_ok=True)
        growth = land_growth(connection, folder, NIGHT.date())
        assert land_growth(connection, folder, NIGHT.date()) == growth
        paths = [file.path for file in growth_files(connection, folder)]
    return pl.concat([pl.read_parquet(path) for path in paths]) if paths else pl.DataFrame(), growth


def test_a_scrape_holds_the_counters_that_are_read_and_every_other_line_is_foreign(tmp_path: Path) -> None:
    found = read(tmp_path, SCRAPE)
    values = found.frames["counter_samples"].group_by("counter", "status").agg(pl.col("value").sum()).sort(pl.all())
    assert values.rows() == [
        ("cached_input_tokens", "ok", 400),  # the old name tells it again, and is left out
        ("duration_us", "ok", 12_500_000),
        ("input_tokens", "ok", 8_128_902),
        ("output_tokens", "ok", 826),
        ("requests", "cancelled", 2),
        ("requests", "error", 0),
        ("requests", "ok", 4),
        ("ttft_us", "ok", 440_000),
    ]
    row = found.frames["counter_samples"].to_dicts()[0]
    assert (row["target"], row["deployment"], row["model"]) == ("inbox/vllm/kestrel-0", "kestrel-0", "kestrel")
    assert row["scraped_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert row["begun_at"] == datetime.fromtimestamp(1_795_140_000, UTC)
    lines = [line for line in SCRAPE.splitlines() if line]
    assert found.rows == found.counted == 10
    assert found.flags == ("vllm",)
    assert found.foreign_lines == len(lines) - 10


@pytest.mark.parametrize(
    "name",
    [
        "kestrel-0_2026-11-20T10:00:00Z.prom",
        "kestrel-0_20261120T100000Z.prom",
        "kestrel-0-2026-11-20T11-00-00+01:00.txt",
        "kestrel-0.1795168800.prom",
        "kestrel-0_1795168800000.prom",
        "2026-11-20T10:00Z/kestrel-0.prom",
        "kestrel-0/2026-11-20 10:00:00.prom",
    ],
)
def test_the_time_is_in_the_name_of_the_file_or_of_its_folder(tmp_path: Path, name: str) -> None:
    row = read(tmp_path, SCRAPE, f"inbox/{name}").frames["counter_samples"].to_dicts()[0]
    assert row["scraped_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (row["target"], row["deployment"]) == ("inbox/kestrel-0", "kestrel-0")


def test_a_name_without_a_time_is_refused_unless_the_samples_have_one(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match="name the file <pod>_<time>"):
        read(tmp_path, SCRAPE, "inbox/kestrel-0.prom")
    stamped = f"vllm:prompt_tokens_total{{{LABELS}}} 7 1795168800000\n"
    assert read(tmp_path, stamped, "inbox/kestrel-0.prom").frames["counter_samples"]["scraped_at"].to_list() == [
        datetime(2026, 11, 20, 10, tzinfo=UTC)
    ]


def test_open_metrics_counts_its_timestamps_in_seconds_and_has_exemplars(tmp_path: Path) -> None:
    text = (
        "# TYPE vllm:prompt_tokens counter\n"
        f'vllm:prompt_tokens_total{{{LABELS}}} 9.0 1795168800.5 # {{trace_id="KOO5S4vxi0o"}} 0.67\n'
        f"vllm:prompt_tokens_created{{{LABELS}}} 1795100000.25\n"
        "# EOF\n"
    )
    row = read(tmp_path, text, "inbox/kestrel-0.prom").frames["counter_samples"].to_dicts()[0]
    assert (row["value"], row["scraped_at"]) == (9, datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC))
    assert row["begun_at"] == datetime.fromtimestamp(1_795_100_000.25, UTC)


def test_rows_that_are_no_counts_are_refused_one_by_one(tmp_path: Path) -> None:
    text = (
        f"vllm:prompt_tokens_total{{{LABELS}}} NaN\n"
        f"vllm:generation_tokens_total{{{LABELS}}} -5\n"
        f"vllm:prefix_cache_hits_total{{{LABELS}}} 1.5\n"
        'vllm:prompt_tokens_total{model_name="robin} 5\n'
        'vllm:prompt_tokens_total{model_name="robin"} 5\n'
        f"vllm:generation_tokens_total{{{LABELS}}} 12"  # the scrape was cut: it may have been 1200
    )
    found = read(tmp_path, text)
    assert found.refused["reason"].to_list() == ["bad_count", "truncated", "bad_count", "bad_count", "bad_count"]
    assert (found.rows, found.frames["counter_samples"]["value"].to_list()) == (6, [5])


def test_a_scrape_after_the_night_waits_for_its_night_and_a_page_of_html_is_no_scrape(tmp_path: Path) -> None:
    late = read(tmp_path, SCRAPE, "inbox/kestrel-0_2026-11-24T00:00:00Z.prom")
    assert set(late.refused["reason"]) == {"date_out_of_range"}
    with pytest.raises(RejectedFile, match="exposition text"):
        read(tmp_path, "<html>502 Bad Gateway</html>\n")


def test_sglang_has_its_own_names_and_sums_where_cached_tokens_came_from(tmp_path: Path) -> None:
    text = (
        'sglang:prompt_tokens_total{model_name="m"} 1000\n'
        'sglang:generation_tokens_total{is_streaming="true",model_name="m"} 50\n'
        'sglang:generation_tokens_total{is_streaming="false",model_name="m"} 100\n'
        'sglang:cached_tokens_total{cache_source="device",model_name="m"} 400\n'
        'sglang:cached_tokens_total{cache_source="host",model_name="m"} 20\n'
        'sglang:num_requests_total{model_name="m"} 7\n'
        'sglang:num_aborted_requests_total{model_name="m"} 2\n'
        'sglang:cache_hit_rate{model_name="m"} 0.42\n'
    )
    rows = read(tmp_path, text).frames["counter_samples"]
    sums = rows.group_by("counter", "status").agg(pl.col("value").sum()).sort(pl.all()).rows()
    assert sums == [
        ("cached_input_tokens", "ok", 420),
        ("input_tokens", "ok", 1000),
        ("output_tokens", "ok", 150),
        ("requests", "cancelled", 2),
        ("requests", "ok", 7),
    ]


def test_settings_name_labels_and_constants(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_text('vllm:prompt_tokens_total{engine="0",svc="blue"} 5\n')
    source = replace(SOURCE, columns={"deployment_id": "svc"}, constants={"model": "kestrel", "team": "search"})
    delivered = Delivered("inbox/p_1795168800.prom", "ab" * 32, 1, content, NIGHT)
    row = FORMATS["request_telemetry", "vllm_metrics"].read(delivered, source).frames["counter_samples"].to_dicts()[0]
    assert (row["deployment"], row["model"], row["team"]) == ("blue", "kestrel", "search")


def test_growth_stands_in_the_hours_it_came_in_and_the_first_scrape_tells_of_none(tmp_path: Path) -> None:
    # 09:30 to 10:30 is two halves of 101 tokens: 50 and 51; the 1,000 before 09:30 were served before we looked
    rows, growth = grown(tmp_path, {"p_2026-11-20T09:30:00Z": prompts(1000), "p_2026-11-20T10:30:00Z": prompts(1101)})
    assert rows.select("start_at", "input_tokens", "requests", "is_growth").rows() == [
        (datetime(2026, 11, 20, 9, 30, tzinfo=UTC), 50, 0, True),
        (datetime(2026, 11, 20, 10, tzinfo=UTC), 51, 0, True),
    ]
    assert growth.noticed == ()


def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    scrapes = {f"p_2026-11-20T10:{minute:02}:00Z": prompts(minute**2) for minute in (0, 10, 20, 30)}
    there, _ = grown(tmp_path, scrapes)
    back, _ = grown(tmp_path, dict(reversed(scrapes.items())))
    assert there.equals(back)
    assert there["input_tokens"].sum() == 900


def test_a_counter_that_falls_began_again_at_zero_in_its_own_series_only(tmp_path: Path) -> None:
    other = 'engine="1",model_name="kestrel"'
    values = {0: (100, 10), 10: (150, 20), 20: (30, 30), 30: (40, 40)}  # 50 + 30 + 10, and 10 + 10 + 10
    made = "vllm:generation_tokens_total{" + LABELS + "}"
    scrapes = {
        f"p_2026-11-20T10:{minute:02}:00Z": prompts(one) + prompts(two, other) + f"{made} {one}\n"
        for minute, (one, two) in values.items()
    }
    rows, growth = grown(tmp_path, scrapes)
    assert rows["input_tokens"].sum() == 90 + 30
    # one server began again, whose two counters fell
    assert [(finding.kind, finding.rows) for _, finding in growth.noticed] == [("counter_restarted", 1)]


def test_the_same_bytes_at_another_time_are_a_scrape_of_that_time(tmp_path: Path) -> None:
    # a server that nobody asks says the same again; the same bytes of the same time are a copy of the file
    content = tmp_path / "content"
    content.write_text(prompts(0))
    ten, half_past = "p_2026-11-20T10:00:00Z.prom", "p_2026-11-20T10:30:00Z.prom"
    names = [f"inbox/{path}" for path in (f"a/{ten}", f"a/{half_past}", f"copy/{ten}", f"copy/{half_past}")]
    found = FORMATS["request_telemetry", "vllm_metrics"].read(
        Delivered(names[0], "0" * 64, 1, content, NIGHT, copies=tuple(names[1:])), SOURCE
    )
    assert (found.rows, found.counted) == (1, 1)  # the row of each other path is counted as a duplicate there
    assert found.frames["counter_samples"].select("target", pl.col("scraped_at").dt.minute()).rows() == [
        ("inbox/a/p", 0),
        ("inbox/a/p", 30),
    ]


def test_a_sample_of_another_server_under_the_name_is_left_out_and_said(tmp_path: Path) -> None:
    # behind a service answers now one server and now the other; each jump up and down would count as served
    values = [1000, 40, 1010, 50, 1020, 1030]
    scrapes = {f"p_2026-11-20T10:{place:02}:00Z": prompts(value) for place, value in enumerate(values)}
    rows, growth = grown(tmp_path, scrapes)
    assert rows["input_tokens"].sum() == 30
    assert [(finding.kind, finding.rows) for _, finding in growth.noticed] == [("counter_of_another_server", 2)]


def test_where_processes_say_when_they_began_each_is_a_counter_of_its_own(tmp_path: Path) -> None:
    ten = 1_795_168_800
    scrapes = {
        "a_2026-11-20T10:00:00Z": prompts(500, begun=ten - 9000),
        "a_2026-11-20T10:10:00Z": prompts(700, begun=ten - 9000),  # + 200
        "a_2026-11-20T10:20:00Z": prompts(900, begun=ten + 700),  # a new process: + 900 from its beginning
        "b_2026-11-20T10:20:00Z": prompts(60, begun=ten + 900),  # scaled up while we looked: + 60
        "c_2026-11-20T10:20:00Z": prompts(8000, begun=ten - 9000),  # was there before and not scraped: nothing
    }
    rows, growth = grown(tmp_path, scrapes)
    assert rows.group_by("deployment").agg(pl.col("input_tokens").sum()).sort("deployment").rows() == [
        ("a", 1100),
        ("b", 60),
    ]
    assert [(finding.kind, finding.rows) for _, finding in growth.noticed] == [("counter_restarted", 1)]


def test_cached_tokens_are_tokens_and_never_more_than_the_prompts(tmp_path: Path) -> None:
    hits = "vllm:prefix_cache_hits_total{" + LABELS + "}"
    scrapes = {
        "p_2026-11-20T10:00:00Z": prompts(0) + f"{hits} 0\n",
        "p_2026-11-20T10:30:00Z": prompts(100) + f"{hits} 48\n",
        "q_2026-11-20T10:00:00Z": prompts(0) + f"{hits} 0\n",
        "q_2026-11-20T10:30:00Z": prompts(100) + f"{hits} 130\n",  # preempted requests look the cache up again
    }
    rows, _ = grown(tmp_path, scrapes)
    cached = rows.sort("deployment").select("input_tokens", "cached_input_tokens").rows()
    assert cached == [(100, 48), (100, 100)]


def test_a_gap_over_two_hours_is_spread_and_said(tmp_path: Path) -> None:
    rows, growth = grown(tmp_path, {"p_2026-11-20T10:00:00Z": prompts(0), "p_2026-11-20T13:00:00Z": prompts(90)})
    assert rows["input_tokens"].to_list() == [30, 30, 30]
    (source, finding), *rest = growth.noticed
    assert (source, finding.kind, finding.tokens, rest) == ("vllm", "scrapes_far_apart", 90.0, [])


def test_a_source_of_which_each_server_was_scraped_once_tells_of_nothing(tmp_path: Path) -> None:
    rows, growth = grown(tmp_path, {"p_2026-11-20T10:00:00Z": prompts(5)})
    assert rows.is_empty()
    assert growth.without_growth == ("vllm",)


def within(**counts: float) -> str:
    """Buckets of the duration by their bound, `s1` for a second, `s0_5` for half a one, and all requests in `inf`."""
    bounds = {name: name.removeprefix("s").replace("_", ".").replace("inf", "+Inf") for name in counts}
    name = "vllm:e2e_request_latency_seconds_bucket"
    return "".join(f'{name}{{le="{bounds[key]}",{LABELS}}} {count}\n' for key, count in counts.items())


def test_percentiles_are_linear_inside_the_bucket_that_holds_them(tmp_path: Path) -> None:
    scrapes = {
        # In the hour 10 requests: none within 0.5 s, 4 within 1 s, 9 within 2 s, 10 within 4 s.
        "p_2026-11-20T10:00:00Z": prompts(0) + within(s0_5=5, s1=5, s2=5, s4=5, inf=5),
        "p_2026-11-20T11:00:00Z": prompts(100) + within(s0_5=5, s1=9, s2=14, s4=15, inf=15),
        # Of another server 4 requests took half a second at most, and 6 longer than any bound says.
        "q_2026-11-20T12:00:00Z": prompts(0) + within(s0_5=0, inf=0),
        "q_2026-11-20T13:00:00Z": prompts(100) + within(s0_5=4, inf=10),
    }
    rows, _ = grown(tmp_path, scrapes)
    told = rows.sort("start_at").select("deployment", "histogram_p50_us", "histogram_p95_us").rows()
    # The 5th of 10 is the 1st of 5 in the bucket from 1 to 2 s: 1.2 s. The 9.5th is half way through 2 to 4 s: 3 s.
    # Of q the 5th of 10 lies above the last bound: nobody knows.
    assert told == [("p", 1_200_000, 3_000_000), ("q", None, None)]


def test_percentiles_are_of_all_servers_of_a_deployment(tmp_path: Path) -> None:
    pods = {"a": within(s1=8, s2=8, inf=8), "b": within(s1=0, s2=8, inf=8)}  # 8 within 1 s, 8 from 1 to 2 s
    scrapes = {
        f"{pod}_2026-11-20T{hour}:00:00Z": (
            prompts(0) + within(s1=0, s2=0, inf=0) if hour == 10 else prompts(9) + text
        ).replace("{", '{pod="one",')
        for pod, text in pods.items()
        for hour in (10, 11)
    }
    rows, _ = grown(tmp_path, scrapes)
    told = rows.select("deployment", "histogram_p50_us", "histogram_p95_us").rows()
    assert told == [("one", 1_000_000, 1_900_000)] * 2  # the 15.2nd of 16 is the 7.2nd of the second eight


def test_a_bucket_without_a_bound_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, within(s1=1).replace('le="1.0",', "").replace('le="1",', ""))
    assert found.refused["reason"].to_list() == ["bad_count"]
