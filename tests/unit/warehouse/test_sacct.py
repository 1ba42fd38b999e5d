"""Slurm accounting: attempts are runs, steps count nothing, GPUs come from the allocation, time from what elapsed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.training import sacct
from warehouse.sources.training.hostlist import MOST_HOSTS, hosts

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HEADER = ("JobID", "JobName", "Account", "Cluster", "State", "Start", "End", "Elapsed", "AllocTRES", "NodeList")
JOB = {
    "JobID": "101",
    "JobName": "atlas-sft",
    "Account": "core",
    "Cluster": "c1",
    "State": "COMPLETED",
    "Start": "2026-11-02T00:00:00",
    "End": "2026-11-03T02:03:04",
    "Elapsed": "1-02:03:04",
    "AllocTRES": "cpu=8,gres/gpu=8,gres/gpu:h100=8,node=1",
    "NodeList": "gpu[001-002]",
}
SECONDS = 86_400 + 2 * 3_600 + 3 * 60 + 4


def read(folder: Path, *jobs: dict[str, str], end: str = "", zone: str | None = "UTC") -> Reading:
    options = {} if zone is None else {"timezone": zone}
    lines = ["|".join(HEADER) + end] + ["|".join((JOB | job)[name] for name in HEADER) + end for job in jobs]
    content = folder / "content"
    content.write_text("\n".join(lines) + "\n")
    source = Source("slurm", "training_logs", "sacct", "inbox/slurm/*", options=options)
    return sacct.read(Delivered("inbox/slurm/sacct.txt", "ab" * 32, 1, content, NIGHT), source)


def runs(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["run_rows"].to_dicts()


def test_a_job_is_a_run_with_the_gpus_of_its_allocation_and_the_time_that_elapsed(tmp_path: Path) -> None:
    reading = read(tmp_path, {})
    [run] = runs(reading)
    assert (run["run_id"], run["run_name"], run["cluster"]) == ("c1/101@2026-11-02T00:00:00Z", "atlas-sft", "c1")
    assert (run["gpu_count"], run["gpu_model"]) == (8.0, "H100")
    assert run["gpu_seconds"] == 8 * SECONDS
    assert (run["status"], run["end_source"], run["team"]) == ("finished", "job_db", "core")
    assert run["hosts"] == ["gpu001", "gpu002"]
    assert (reading.rows, reading.refused.height) == (1, 0)


def test_steps_are_accepted_and_count_nothing(tmp_path: Path) -> None:
    reading = read(tmp_path, {}, *({"JobID": f"101.{step}"} for step in ("batch", "extern", "0")))
    assert (reading.rows, reading.refused.height, len(runs(reading))) == (4, 0, 1)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("COMPLETED", "finished"),
        ("FAILED", "failed"),
        ("NODE_FAIL", "failed"),
        ("OUT_OF_MEMORY", "failed"),
        ("CANCELLED by 1000", "cancelled"),
        ("CANCELLED+", "cancelled"),
        ("PREEMPTED", "cancelled"),
        ("TIMEOUT", "timeout"),
        ("DEADLINE", "timeout"),
        ("BEWITCHED", "unknown"),
        ("", "unknown"),
    ],
)
def test_states_have_one_meaning(tmp_path: Path, state: str, status: str) -> None:
    assert runs(read(tmp_path, {"State": state}))[0]["status"] == status


def test_a_running_job_is_censored_and_has_no_end(tmp_path: Path) -> None:
    [run] = runs(read(tmp_path, {"State": "RUNNING", "End": "Unknown"}))
    assert (run["ended_at"], run["end_source"], run["status"], run["gpu_seconds"]) == (
        None,
        "censored",
        "running",
        None,
    )


@pytest.mark.parametrize(
    "job",
    [
        {"State": "PENDING", "Start": "Unknown", "End": "Unknown"},
        {"State": "CANCELLED by 0", "Start": "None", "End": "2026-11-02T00:00:00"},
        {"State": "CANCELLED by 0", "End": "2026-11-02T00:00:00", "Elapsed": "00:00:00", "AllocTRES": ""},
        {"JobID": "12_[5-9]", "State": "PENDING", "Start": "Unknown", "End": "Unknown"},
    ],
)
def test_a_job_that_never_ran_is_accepted_and_no_run(tmp_path: Path, job: dict[str, str]) -> None:
    reading = read(tmp_path, job)
    assert (reading.rows, reading.refused.height, runs(reading)) == (1, 0, [])


def test_each_attempt_is_a_run_and_the_first_is_the_parent_of_the_others(tmp_path: Path) -> None:
    again = {"Start": "2026-11-04T00:00:00", "End": "2026-11-04T01:00:00", "Elapsed": "01:00:00"}
    first, second = runs(read(tmp_path, {"State": "NODE_FAIL"}, again))
    assert first["parent_run_id"] is None
    assert second["parent_run_id"] == first["run_id"]
    assert first["run_key"] != second["run_key"]


def test_tasks_of_an_array_are_runs_and_parts_of_a_job_have_a_parent(tmp_path: Path) -> None:
    tasks = runs(read(tmp_path, {"JobID": "12_1"}, {"JobID": "12_2"}))
    assert len({run["run_id"] for run in tasks}) == 2
    part, whole = runs(read(tmp_path, {"JobID": "123+1"}, {"JobID": "123+0"}))
    assert part["parent_run_id"] == whole["run_id"]


@pytest.mark.parametrize(
    ("tres", "held"),
    [
        ("cpu=8,gres/gpu=16,node=2", [(None, 16.0)]),
        ("gres/gpu:a100=4", [("A100", 4.0)]),
        ("gres/gpu=8,gres/gpu:h100=6,gres/gpu:a100=2", [("A100", 2.0), ("H100", 6.0)]),
        ("cpu=64,mem=10G,gres/gpumem=80G", [(None, 0.0)]),
        ("", [(None, 0.0)]),
    ],
)
def test_gpus_are_the_total_by_chip_where_types_are_named(
    tmp_path: Path, tres: str, held: list[tuple[str | None, float]]
) -> None:
    found = [(run["gpu_model"], run["gpu_count"]) for run in runs(read(tmp_path, {"AllocTRES": tres}))]
    assert sorted(found, key=str) == sorted(held, key=str)


def test_suspended_time_holds_no_gpu(tmp_path: Path) -> None:
    assert runs(read(tmp_path, {"Elapsed": "10:00:00.5"}))[0]["gpu_seconds"] == 8 * 36_000.5


def test_times_are_local_to_the_zone_of_the_source(tmp_path: Path) -> None:
    reading = read(tmp_path, {}, zone="America/New_York")
    assert runs(reading)[0]["started_at"] == datetime(2026, 11, 2, 5, tzinfo=UTC)
    assert reading.flags == ()
    assert read(tmp_path, {}, zone=None).flags == ("tz_assumed",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"JobID": ""}, "missing_key"),
        ({"Start": "2026-02-30T00:00:00"}, "bad_date"),
        ({"Start": "2026-12-24T00:00:00", "End": "Unknown"}, "date_out_of_range"),
        ({"End": "2026-11-01T00:00:00"}, "end_before_start"),
        ({"AllocTRES": "gres/gpu=-8"}, "bad_count"),
        ({"Elapsed": "long"}, "bad_date"),
    ],
)
def test_a_job_that_cannot_be_read_is_refused(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    reading = read(tmp_path, {"JobID": "100"}, change)
    assert reading.refused.select("location", "reason").rows() == [("line 3", reason)]
    assert len(runs(reading)) == 1


def test_a_bar_at_the_end_of_each_line_is_no_column(tmp_path: Path) -> None:
    assert len(runs(read(tmp_path, {}, end="|"))) == 1


def test_a_missing_column_rejects_the_file(tmp_path: Path) -> None:
    (tmp_path / "content").write_text("JobID|JobName\n1|a\n")
    source = Source("slurm", "training_logs", "sacct", "inbox/slurm/*")
    with pytest.raises(RejectedFile, match="missing_column"):
        sacct.read(Delivered("a.txt", "ab", 1, tmp_path / "content", NIGHT), source)


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("gpu[001-003,007],x1", ["gpu001", "gpu002", "gpu003", "gpu007", "x1"]),
        ("r[1-2]n[08-10]", ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"]),
        ("a,b", ["a", "b"]),
        ("None assigned", []),
        (None, []),
        ("n[5-1]", ["n[5-1]"]),
        (f"n[0-{MOST_HOSTS}]", [f"n[0-{MOST_HOSTS}]"]),
    ],
)
def test_host_lists_are_written_out(written: str | None, expanded: list[str]) -> None:
    assert hosts(written) == expanded


@pytest.mark.parametrize(
    ("tres", "model", "count"),
    [
        ("gres/gpu:a100_3g.20gb=1,gres/gpu=1", "A100", 3 / 7),
        ("gres/gpu:1g.10gb=2", None, 2 / 7),
        ("gres/gpu:nvidia_h100_80gb_hbm3_1g.10gb=1", "H100", 1 / 7),
        ("gres/gpu:a30_2g.12gb=1", "A30", 2 / 4),
        ("gres/gpu:MIG_3G.40GB=1", None, 3 / 7),
        ("gres/mig:1g.10gb=2,gres/gpu=0", None, 2 / 7),
        ("gres/gpu:h100:8(S:0-1)=8", "H100", 8.0),
        ("gres/gpu:h100=8", "H100", 8.0),
    ],
)
def test_a_slice_is_a_part_of_a_gpu(tmp_path: Path, tres: str, model: str | None, count: float) -> None:
    [run] = runs(read(tmp_path, {"AllocTRES": tres}))
    assert (run["gpu_model"], run["gpu_count"]) == (model, pytest.approx(count))


@pytest.mark.parametrize("state", ["REQUEUED", "RUNNING", "SUSPENDED"])
def test_an_attempt_with_an_end_has_ended_whatever_the_word(tmp_path: Path, state: str) -> None:
    [run] = runs(read(tmp_path, {"State": state}))
    assert (run["status"], run["end_source"], run["gpu_seconds"]) == ("unknown", "job_db", 8 * SECONDS)


CHANGE = {"Start": "2026-11-01T01:30:00", "End": "2026-11-01T05:30:00"}  # the clock of New York goes back at 06:00 UTC


@pytest.mark.parametrize(
    ("job", "start", "end"),
    [
        (CHANGE | {"Elapsed": "04:00:00"}, (6, 30), (10, 30)),  # 01:30 in winter time
        (CHANGE | {"Elapsed": "05:00:00"}, (5, 30), (10, 30)),  # 01:30 in summer time
        ({"Start": "2026-11-01T00:30:00", "End": "2026-11-01T01:15:00", "Elapsed": "01:45:00"}, (4, 30), (6, 15)),
        ({"Start": "2026-11-01T01:10:00", "End": "2026-11-01T01:50:00", "Elapsed": "01:40:00"}, (5, 10), (6, 50)),
    ],
)
def test_the_other_end_and_the_elapsed_time_decide_an_ambiguous_local_time(
    tmp_path: Path, job: dict[str, str], start: tuple[int, int], end: tuple[int, int]
) -> None:
    [run] = runs(read(tmp_path, job, zone="America/New_York"))
    assert run["started_at"] == datetime(2026, 11, 1, *start, tzinfo=UTC)
    assert run["ended_at"] == datetime(2026, 11, 1, *end, tzinfo=UTC)


@pytest.mark.parametrize("took", ["03:00:00", ""])
def test_a_local_time_that_nothing_decides_stays_ambiguous(tmp_path: Path, took: str) -> None:
    reading = read(tmp_path, CHANGE | {"Elapsed": took}, zone="America/New_York")
    assert reading.refused["reason"].to_list() == ["ambiguous_time"]


def test_a_local_time_that_no_clock_showed_is_refused(tmp_path: Path) -> None:
    gap = {"Start": "2026-03-08T02:30:00", "End": "2026-03-08T05:30:00", "Elapsed": "02:00:00"}
    assert read(tmp_path, gap, zone="America/New_York").refused["reason"].to_list() == ["ambiguous_time"]


def test_a_job_is_known_by_the_id_that_its_processes_see(tmp_path: Path) -> None:
    found = runs(read(tmp_path, {"JobID": "20+0"}, {"JobID": "20+1"}, {"JobID": "7"}))
    assert [(run["job_id"], run["is_job"]) for run in found] == [("20", True), ("20", True), ("7", True)]


@pytest.mark.parametrize("tres", ["gres/shard=4", "gres/mps=50,gres/gpu=0", "gres/mig=1"])
def test_parts_of_gpus_of_unknown_size_are_an_unknown_number(tmp_path: Path, tres: str) -> None:
    [run] = runs(read(tmp_path, {"AllocTRES": f"cpu=8,{tres}"}))
    assert (run["gpu_count"], run["gpu_seconds"]) == (None, None)
    [whole] = runs(read(tmp_path, {"AllocTRES": f"gres/gpu=1,{tres.removesuffix(',gres/gpu=0')}"}))
    assert whole["gpu_count"] == 1.0


def test_a_table_of_fixed_widths_is_refused_with_the_way_to_export_it(tmp_path: Path) -> None:
    (tmp_path / "content").write_text(
        "JobID        JobName      State\n------------ ---------- ----------\n1 a COMPLETED\n"
    )
    with pytest.raises(RejectedFile, match=r"missing column JobID.*--parsable2"):
        sacct.read(Delivered("a.txt", "ab", 1, tmp_path / "content", NIGHT), Source("s", "training_logs", "sacct", "*"))


def test_a_refused_job_is_told_by_its_cell(tmp_path: Path) -> None:
    refused = read(tmp_path, {"Start": "1793527200"}).refused
    assert refused.select("reason", "detail").rows() == [("bad_date", "started_at: '1793527200'")]
