"""MLPerf logs: records among foreign lines, GPUs from the system description, ends that were never logged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training import mlperf

SOURCE = Source("mlperf", "training_logs", "mlperf", "inbox/mlperf/**/*")
NIGHT = datetime(2025, 5, 16, tzinfo=UTC)
LOG = "inbox/mlperf/Org/results/4xBox/llama31_405b/result_3.txt.gz"
DESCRIPTION = "inbox/mlperf/Org/systems/4xBox.json"
T0 = 1_746_000_000_000  # 2025-04-30T08:00:00Z in milliseconds


def line(key: str, at: int, value: object = None, prefix: str = "", suffix: str = "", **metadata: object) -> str:
    record = {"namespace": "", "time_ms": at, "event_type": "X", "key": key, "value": value, "metadata": metadata}
    return f"{prefix}:::MLLOG {json.dumps(record)}{suffix}"


def whole_log() -> list[str]:
    return [
        "NCCL version 2.25.1",
        line("init_start", T0, prefix=" 3: "),
        line("submission_benchmark", T0 + 1, "llama31_405b"),
        line("max_sequence_length", T0 + 2, 8192),
        line("global_batch_size", T0 + 2, 16),
        line("run_start", T0 + 60_000, prefix="\x1b[32m", suffix="\x1b[0m"),
        line("train_loss ", T0 + 90_000, 6.5, samples_count=160),
        line("eval_accuracy", T0 + 120_000, 5.6, samples_count=320),
        line("run_stop", T0 + 180_000, status="success", samples_count=320),
        line("init_stop", T0 + 50_000),
    ]


def deliver(folder: Path, text: str, file: str = LOG, **side_files: str) -> Delivered:
    content = folder / "content"
    content.write_text(text)
    beside = {}
    for position, (name, written) in enumerate(side_files.items()):
        beside[{"system": DESCRIPTION, "said": "inbox/mlperf/trisect-run.json"}[name]] = folder / str(position)
        (folder / str(position)).write_text(written)
    return Delivered(file, "ab" * 32, len(text), content, NIGHT, beside)


def system(nodes: str = "4", per_node: str = "8 ", model: str = "NVIDIA H100-SXM5-80GB") -> str:
    return json.dumps({"number_of_nodes": nodes, "accelerators_per_node": per_node, "accelerator_model_name": model})


def read(folder: Path, lines: list[str], **side_files: str) -> Reading:
    return mlperf.read(deliver(folder, "\n".join(lines) + "\n", **side_files), SOURCE)


def the_run(reading: Reading) -> dict[str, object]:
    [run] = reading.frames["run_rows"].to_dicts()
    return run


def test_a_whole_log_is_one_run_with_the_gpus_of_its_system_description(tmp_path: Path) -> None:
    reading = read(tmp_path, whole_log(), system=system())
    run = the_run(reading)
    assert (reading.rows, reading.foreign_lines, reading.refused.height) == (9, 1, 0)
    assert run["run_id"] == run["run_name"] == "Org/4xBox/llama31_405b/result_3"
    assert (run["project"], run["cluster"]) == ("llama31_405b", "Org/4xBox")
    assert (run["gpu_count"], run["gpu_model"]) == (32.0, "H100")  # 4 nodes × 8
    assert (run["status"], run["end_source"]) == ("finished", "logged")
    assert run["started_at"] == datetime(2025, 4, 30, 8, 1, tzinfo=UTC)
    assert run["ended_at"] == datetime(2025, 4, 30, 8, 3, tzinfo=UTC)
    assert run["held_from"] == datetime(2025, 4, 30, 8, 0, tzinfo=UTC)
    assert run["held_to"] == datetime(2025, 4, 30, 8, 3, tzinfo=UTC)
    assert run["tokens"] == 320 * 8192
    assert run["steps"] == 320 // 16
    assert (run["final_loss"], run["loss_name"]) == (5.6, "eval_accuracy")


def test_metrics_carry_samples_tokens_and_time(tmp_path: Path) -> None:
    metrics = read(tmp_path, whole_log(), system=system()).frames["metric_rows"].sort("step").to_dicts()
    assert [(row["name"], row["step"], row["tokens"], row["value"]) for row in metrics] == [
        ("train_loss", 160, 160 * 8192.0, 6.5),
        ("eval_accuracy", 320, 320 * 8192.0, 5.6),
    ]
    assert metrics[0]["at"] == datetime(2025, 4, 30, 8, 1, 30, tzinfo=UTC)


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    forwards = read(tmp_path, whole_log(), system=system()).frames["run_rows"]
    backwards = read(tmp_path, whole_log()[::-1], system=system()).frames["run_rows"]
    assert forwards.equals(backwards)


def test_a_log_without_run_stop_ends_at_its_last_record(tmp_path: Path) -> None:
    cut = [text for text in whole_log() if "run_stop" not in text]
    run = the_run(read(tmp_path, cut, system=system()))
    assert (run["ended_at"], run["end_source"], run["status"]) == (
        datetime(2025, 4, 30, 8, 2, tzinfo=UTC),
        "last_event",
        "unknown",
    )
    limited = the_run(read(tmp_path, [*cut, "0: slurmstepd: CANCELLED AT x DUE TO TIME LIMIT ***"], system=system()))
    assert limited["status"] == "timeout"


def test_without_a_count_of_samples_or_a_length_tokens_are_unknown(tmp_path: Path) -> None:
    short = [text for text in whole_log() if "max_sequence_length" not in text]
    assert the_run(read(tmp_path, short, system=system()))["tokens"] is None


def test_a_missing_description_refuses_every_record_and_names_the_path(tmp_path: Path) -> None:
    reading = read(tmp_path, whole_log())
    assert (reading.rows, reading.refused.height, reading.frames) == (9, 9, {})
    assert set(reading.refused["reason"]) == {"missing_key"}
    assert set(reading.refused["raw"]) == {DESCRIPTION}
    assert mlperf.side_files(LOG)[0] == DESCRIPTION


def test_a_sidecar_knows_the_gpus_where_no_description_does_and_wins_on_their_count(tmp_path: Path) -> None:
    said = json.dumps({"gpu_count": 24, "run_name": "mine", "hosts": ["n1", "n2"]})
    alone = the_run(read(tmp_path, whole_log(), said=said))
    assert (alone["gpu_count"], alone["gpu_model"], alone["hosts"]) == (24.0, None, ["n1", "n2"])
    assert alone["run_name"] == "Org/4xBox/llama31_405b/result_3"  # the log wins where both speak
    both = the_run(read(tmp_path, whole_log(), system=system(), said=said))
    assert (both["gpu_count"], both["gpu_model"]) == (24.0, "H100")


def test_copies_of_a_run_share_a_key_and_other_runs_do_not(tmp_path: Path) -> None:
    text = "\n".join(whole_log())
    there = Delivered(
        "inbox/mlperf/Org/results/4xBox_power/llama31_405b/result_9.txt", "cd" * 32, 1, tmp_path / "c", NIGHT
    )
    (tmp_path / "c").write_text("another prologue\n" + text)
    (tmp_path / "s").write_text(system())
    copy = mlperf.read(
        Delivered(
            there.file,
            there.sha256,
            1,
            there.content,
            NIGHT,
            {"inbox/mlperf/Org/systems/4xBox_power.json": tmp_path / "s"},
        ),
        SOURCE,
    )
    first, second = the_run(read(tmp_path, whole_log(), system=system())), the_run(copy)
    assert first["run_key"] == second["run_key"]
    assert first["run_id"] != second["run_id"]
    later = [text.replace(str(T0 + 180_000), str(T0 + 180_001)) for text in whole_log()]
    assert the_run(read(tmp_path, later, system=system()))["run_key"] != first["run_key"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (':::MLLOG {"time_ms": 1746000000000, "key": "x", ', "bad_json"),
        (':::MLLOG {"time_ms": null, "key": "x"}', "bad_date"),
        (':::MLLOG {"time_ms": 1746000000000, "value": 1}', "missing_key"),
        (':::MLLOG {"time_ms": 1000, "key": "x"}', "date_out_of_range"),
        (':::MLLOG {"time_ms": 1746000000000, "key": "x", "metadata": {"samples_count": -1}}', "bad_count"),
        (':::MLLOG {"time_ms": 1746000000000, "key": "x", "key": "y"}', "bad_json"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_alone(tmp_path: Path, bad: str, reason: str) -> None:
    reading = read(tmp_path, [*whole_log(), bad, "after"], system=system())
    assert reading.refused.select("location", "reason", "raw").rows() == [("line 11", reason, "")]
    assert (reading.rows, the_run(reading)["status"]) == (10, "finished")


def test_a_record_cut_at_the_end_of_the_file_is_truncated(tmp_path: Path) -> None:
    text = "\n".join([*whole_log(), ':::MLLOG {"time_ms": 17460'])
    reading = mlperf.read(deliver(tmp_path, text, system=system()), SOURCE)
    assert reading.refused["reason"].to_list() == ["truncated"]


def test_a_loss_that_is_not_a_number_is_a_metric_and_never_the_final_loss(tmp_path: Path) -> None:
    lines = [*whole_log(), line("eval_accuracy", T0 + 170_000, float("nan"), samples_count=480)]
    reading = read(tmp_path, lines, system=system())
    assert the_run(reading)["final_loss"] == 5.6
    assert reading.frames["metric_rows"].filter(~reading.frames["metric_rows"]["is_finite"]).height == 1


def test_a_system_description_is_a_row_of_its_own(tmp_path: Path) -> None:
    good = mlperf.read(deliver(tmp_path, system(), file=DESCRIPTION), SOURCE)
    assert (good.rows, good.refused.height, good.frames) == (1, 0, {})
    wrong = mlperf.read(deliver(tmp_path, system(per_node="eight"), file=DESCRIPTION), SOURCE)
    assert wrong.refused["reason"].to_list() == ["bad_count"]


def test_a_description_may_repeat_a_key_unless_two_counts_disagree(tmp_path: Path) -> None:
    twice = '{"number_of_nodes": "4", "accelerators_per_node": "8", "cooling": "a", "cooling": "b"%s}'
    assert mlperf.read(deliver(tmp_path, twice % "", file=DESCRIPTION), SOURCE).refused.is_empty()
    both = mlperf.read(deliver(tmp_path, twice % ', "number_of_nodes": "5"', file=DESCRIPTION), SOURCE)
    assert both.refused["reason"].to_list() == ["bad_json"]


def launches(reading: Reading) -> list[dict[str, object]]:
    return reading.frames["run_rows"].sort("held_from").to_dicts()


def again(hours: int) -> list[str]:
    """The log once more, so many hours later."""
    at = T0 + hours * 3_600_000
    return [
        line("init_start", at),
        line("run_start", at + 60_000),
        line("eval_accuracy", at + 120_000, 5.0, samples_count=640),
        line("run_stop", at + 180_000, status="success"),
    ]


def test_a_log_with_a_second_start_holds_two_launches_of_one_run(tmp_path: Path) -> None:
    first, second = launches(read(tmp_path, [*whole_log(), *again(10)], system=system()))
    assert first["run_id"] == second["run_id"]
    assert first["run_key"] != second["run_key"]
    assert first["held_to"] == datetime(2025, 4, 30, 8, 3, tzinfo=UTC)
    assert (second["held_from"], second["held_to"]) == (
        datetime(2025, 4, 30, 18, 0, tzinfo=UTC),
        datetime(2025, 4, 30, 18, 3, tzinfo=UTC),
    )
    assert [(each["first_step"], each["last_step"], each["tokens"]) for each in (first, second)] == [
        (0, 320, 320 * 8192),
        (0, 640, 640 * 8192),
    ]


def test_a_launch_that_died_without_a_stop_ends_with_its_last_record(tmp_path: Path) -> None:
    died = [text for text in whole_log() if "run_stop" not in text]
    first, second = launches(read(tmp_path, [*again(10), *died], system=system()))
    assert (first["end_source"], first["status"]) == ("last_event", "unknown")
    assert first["ended_at"] == datetime(2025, 4, 30, 8, 2, tzinfo=UTC)
    assert (second["end_source"], second["status"]) == ("logged", "finished")


def test_ranks_that_all_log_the_start_are_one_launch(tmp_path: Path) -> None:
    ranks = [
        line(key, T0 + ms, prefix=f"{rank}: ")
        for rank in range(8)
        for key, ms in (("init_start", rank), ("run_start", 60_000 + rank))
    ]
    assert len(launches(read(tmp_path, [*whole_log(), *ranks], system=system()))) == 1


def test_records_long_after_all_others_are_another_launch_also_without_a_start(tmp_path: Path) -> None:
    late = [line("eval_accuracy", T0 + 40_000_000 + each * 60_000, 5.0, samples_count=400 + each) for each in range(3)]
    assert len(launches(read(tmp_path, [*whole_log(), *late], system=system()))) == 2


def test_what_goes_on_after_a_hole_started_with_its_first_record(tmp_path: Path) -> None:
    late = [line("train_loss", T0 + 36_000_000 + 60_000 * minute, 5.0, samples_count=400) for minute in (0, 30)]
    cut = [text for text in whole_log() if "run_stop" not in text]
    _, second = launches(read(tmp_path, [*cut, *late], system=system()))
    assert second["started_at"] == second["held_from"]  # ten hours later; unknown it would hold no GPU time
    assert second["ended_at"] == second["held_to"]


def test_a_step_of_tracked_statistics_is_no_count_of_samples(tmp_path: Path) -> None:
    lines = [text for text in whole_log() if "samples_count" not in text]
    lines.append(line("tracked_stats", T0 + 100_000, {"throughput": 900.0}, step=603_979_776))
    run = the_run(read(tmp_path, lines, system=system()))
    assert (run["tokens"], run["steps"], run["last_step"]) == (None, None, None)
