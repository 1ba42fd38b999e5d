"""Megatron-LM logs: iterations between bars, launches of a restarted job, local times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.training import megatron

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HEAD = [
    "using world size: 16, data-parallel size: 4, tensor-model-parallel size: 4",
    "------------------------ arguments ------------------------",
    "  seq_length ...................................... 4096",
    "  world_size ...................................... 16",
    "[after megatron is initialized] datetime: 2026-11-02 09:30:00 ",
    "NCCL version 2.25.1",
]


def iteration(step: int, time: str, loss: float = 3.0, prefix: str = " ", total: int = 4) -> str:
    stamp = f"[2026-11-02 {time}] " if time else ""
    return (
        f"{prefix}{stamp}iteration {step:8}/{total:8} | consumed samples: {32 * step:12} | "
        "elapsed time per iteration (ms): 3902.7 | learning rate: 1.5E-04 | global batch size: 32 | "
        f"lm loss: {loss:.6E} | number of nan iterations: 0 |"
    )


def read(
    folder: Path, *lines: str, said: dict[str, Any] | None = None, zone: str | None = "UTC", end: str = "\n"
) -> Reading:
    (folder / "content").write_text("\n".join(lines) + end)
    beside = {}
    if said is not None:
        (folder / "said").write_text(json.dumps(said))
        beside["inbox/meg/trisect-run.json"] = folder / "said"
    source = Source(
        "meg", "training_logs", "megatron", "inbox/meg/*", options={} if zone is None else {"timezone": zone}
    )
    return megatron.read(Delivered("inbox/meg/pretrain.log", "ab" * 32, 1, folder / "content", NIGHT, beside), source)


def runs(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["run_rows"].sort("started_at").to_dicts()


def test_a_log_is_a_run_with_the_gpus_of_its_world_and_the_samples_it_consumed(tmp_path: Path) -> None:
    lines = [*HEAD, *(iteration(step, f"09:4{step}:00", 4.0 - step / 4) for step in range(1, 5))]
    reading = read(tmp_path, *lines, "[exiting program at iteration 4] datetime: 2026-11-02 09:50:00 ")
    [run] = runs(reading)
    assert (reading.rows, reading.foreign_lines, reading.refused.height) == (4, len(HEAD) + 1, 0)
    assert (run["run_id"], run["run_name"], run["project"]) == ("inbox/meg/pretrain", "pretrain", "meg")
    assert (run["gpu_count"], run["tokens"], run["steps"]) == (16.0, 4 * 32 * 4096.0, 4)
    assert run["started_at"] == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # initialisation is paid for, too
    assert run["ended_at"] == datetime(2026, 11, 2, 9, 50, tzinfo=UTC)
    assert (run["status"], run["end_source"]) == ("finished", "logged")
    assert (run["final_loss"], run["loss_name"]) == (3.0, "lm loss")
    losses = reading.frames["metric_rows"].filter(reading.frames["metric_rows"]["name"] == "lm loss")
    assert losses.select("step", "tokens", "value").rows()[0] == (1, 32 * 4096.0, 3.75)


@pytest.mark.parametrize("prefix", ["3: ", "[default0]:", "node-1.cluster: 7: ", ""])
def test_lines_may_have_the_prefix_of_a_rank(tmp_path: Path, prefix: str) -> None:
    assert read(tmp_path, iteration(1, "09:41:00", prefix=prefix)).rows == 1


def test_a_restart_repeats_iterations_in_an_attempt_of_its_own(tmp_path: Path) -> None:
    first = [iteration(step, f"09:4{step}:00") for step in range(1, 4)]
    again = [line.replace("09:30:00", "15:00:00") for line in HEAD]
    second = [iteration(step, f"15:0{step}:00") for step in range(2, 5)]
    one, two = runs(read(tmp_path, *HEAD, *first, *again, *second))
    assert one["run_id"] == two["run_id"]
    assert (one["ended_at"], two["started_at"]) == (
        datetime(2026, 11, 2, 9, 43, tzinfo=UTC),
        datetime(2026, 11, 2, 15, 0, tzinfo=UTC),
    )
    assert [(row["first_step"], row["last_step"]) for row in (one, two)] == [(1, 3), (2, 4)]
    assert [(row["status"], row["end_source"]) for row in (one, two)] == [
        ("unknown", "last_event"),
        ("finished", "logged"),
    ]
    silent = runs(read(tmp_path, *first, *second))
    assert len(silent) == 2  # iterations that begin again are a restart, too


def test_an_older_log_without_times_takes_them_from_the_sidecar(tmp_path: Path) -> None:
    lines = [iteration(step, "", total=900) for step in (100, 200, 300)]
    said = {"started_at": "2026-11-02T00:00:00Z", "gpu_count": 8, "gpu_model": "H100"}
    [run] = runs(read(tmp_path, *lines, said=said))
    took = run["ended_at"] - run["started_at"]
    assert took.total_seconds() == pytest.approx(3.9027 * (1 + 100 + 100))
    assert (run["gpu_count"], run["gpu_model"], run["status"]) == (8.0, "H100", "unknown")
    assert (run["first_step"], run["last_step"]) == (100, 300)
    [untimed] = runs(read(tmp_path, *lines))
    assert (untimed["started_at"], untimed["ended_at"]) == (None, None)


def test_times_are_local_to_the_zone_of_the_source(tmp_path: Path) -> None:
    reading = read(tmp_path, iteration(1, "09:41:00"), zone="America/New_York")
    assert runs(reading)[0]["started_at"] == datetime(2026, 11, 2, 14, 41, tzinfo=UTC)
    assert reading.flags == ()
    assert read(tmp_path, iteration(1, "09:41:00"), zone=None).flags == ("tz_assumed",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (iteration(2, "09:42:00")[:-1], "bad_decimal"),
        (iteration(2, "09:42:00").replace("2026-11-02", "2026-11-32"), "bad_date"),
        (iteration(2, "01:30:00").replace("2026-11-02", "2026-11-01"), "ambiguous_time"),
        (iteration(2, "09:42:00").replace("2026-", "2036-"), "date_out_of_range"),
        (iteration(2, "09:42:00").replace("lm loss:", "lm loss"), "bad_decimal"),
    ],
)
def test_an_iteration_that_cannot_be_read_is_refused_alone(tmp_path: Path, line: str, reason: str) -> None:
    reading = read(tmp_path, iteration(1, "09:41:00"), line, "after", zone="America/New_York")
    assert reading.refused.select("location", "reason", "raw").rows() == [("line 2", reason, "")]
    assert (reading.rows, len(runs(reading))) == (2, 1)


def test_a_line_cut_at_the_end_of_the_file_is_truncated(tmp_path: Path) -> None:
    reading = read(tmp_path, iteration(1, "09:41:00"), iteration(2, "09:42:00")[:60], end="")
    assert reading.refused["reason"].to_list() == ["truncated"]


def test_a_value_that_is_no_number_is_no_metric_and_nan_is_no_final_loss(tmp_path: Path) -> None:
    odd = iteration(2, "09:42:00").replace("3.000000E+00", "nan").replace("1.5E-04", "warming up")
    reading = read(tmp_path, iteration(1, "09:41:00"), odd)
    assert runs(reading)[0]["final_loss"] == 3.0
    names = reading.frames["metric_rows"].filter(reading.frames["metric_rows"]["step"] == 2)["name"]
    assert "learning rate" not in names.to_list()


def test_a_log_of_something_else_holds_no_rows(tmp_path: Path) -> None:
    reading = read(tmp_path, "Epoch 1", "iteration of a loop")
    assert (reading.rows, reading.frames["run_rows"].height, reading.foreign_lines) == (0, 0, 2)


def test_logs_of_two_ranks_tell_of_one_launch_and_logs_of_two_jobs_do_not(tmp_path: Path) -> None:
    lines = [iteration(step, f"09:4{step}:00", 4.0 - step / 4) for step in range(1, 4)]
    [first] = runs(read(tmp_path, *HEAD, *lines))
    [rank] = runs(read(tmp_path, *HEAD, *(f"[default15]:{line}" for line in lines[:2])))
    [other] = runs(read(tmp_path, *HEAD, *(line.replace("3902.7", "3911.2") for line in lines)))
    assert first["run_key"] == rank["run_key"] != other["run_key"]


def test_what_a_launcher_colours_is_read(tmp_path: Path) -> None:
    lines = [*HEAD, *(iteration(step, f"09:4{step}:00") for step in range(1, 5))]
    reading = read(tmp_path, *(f"\x1b[32m[rank7]:\x1b[0m {line}" for line in lines))
    [run] = runs(reading)
    assert (reading.rows, run["gpu_count"], run["tokens"]) == (4, 16.0, 4 * 32 * 4096.0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_log_in_wide_letters_is_refused_and_never_read_as_nothing(tmp_path: Path, encoding: str) -> None:
    # PowerShell writes what it is told to redirect in UTF-16
    content = tmp_path / "content"
    content.write_bytes("\n".join([*HEAD, iteration(1, "09:44:55")]).encode(encoding))
    with pytest.raises(RejectedFile, match="encoding: the content is UTF-16"):
        megatron.read(
            Delivered("inbox/meg/pretrain.log", "ab" * 32, 1, content, NIGHT, {}),
            Source("meg", "training_logs", "megatron", "inbox/meg/*", options={"timezone": "UTC"}),
        )
