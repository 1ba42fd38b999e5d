"""Hugging Face trainers: the log of a state, checkpoints of one run, and times from a sidecar."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training import hf_trainer

FILE = "inbox/hf/sft/trainer_state.json"
NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("hf", "training_logs", "hf_trainer", "inbox/hf/**/*")
LOG = [{"step": 10 * each, "epoch": 0.1 * each, "loss": 5.0 - each, "grad_norm": 1.0} for each in range(1, 4)]
END = {"step": 30, "epoch": 1.0, "train_runtime": 600.0, "train_loss": 3.0, "total_flos": 1e15}
SAID = {"run_id": "sft-1", "started_at": "2026-11-02T00:00:00Z", "gpu_count": 4, "gpu_model": "H100"}


def state(*rows: dict[str, Any], **change: object) -> dict[str, object]:
    return {
        "global_step": 30,
        "max_steps": 30,
        "logging_steps": 10,
        "num_input_tokens_seen": 0,
        "log_history": rows,
    } | change


def read(
    folder: Path,
    document: object,
    file: str = FILE,
    said: dict[str, object] | None = None,
    results: dict[str, object] | None = None,
) -> Reading:
    content = folder / "content"
    content.write_text(document if isinstance(document, str) else json.dumps(document))
    beside = {"inbox/hf/sft/trisect-run.json": said, "inbox/hf/sft/train_results.json": results}
    side_files = {}
    for place, (path, written) in enumerate(beside.items()):
        if written is not None:
            (folder / str(place)).write_text(json.dumps(written))
            side_files[path] = folder / str(place)
    return hf_trainer.read(Delivered(file, "ab" * 32, 1, content, NIGHT, side_files), SOURCE)


def the_run(reading: Reading) -> dict[str, Any]:
    [run] = reading.frames["run_rows"].to_dicts()
    return run


def test_a_state_alone_is_a_run_without_time_and_gpus(tmp_path: Path) -> None:
    reading = read(tmp_path, state(*LOG, END))
    run = the_run(reading)
    assert (run["run_name"], run["steps"], run["final_loss"], run["loss_name"]) == ("sft", 30, 2.0, "loss")
    assert (run["started_at"], run["gpu_count"], run["gpu_seconds"], run["status"]) == (None, None, None, "unknown")
    assert (reading.rows, reading.refused.height) == (4, 0)


def test_a_sidecar_and_the_runtime_give_start_and_end(tmp_path: Path) -> None:
    run = the_run(read(tmp_path, state(*LOG, END), said=SAID))
    assert (run["run_id"], run["gpu_count"], run["gpu_model"]) == ("sft-1", 4.0, "H100")
    assert run["ended_at"] == datetime(2026, 11, 2, 0, 10, tzinfo=UTC)  # 600 s after the start
    assert (run["status"], run["end_source"]) == ("finished", "logged")
    ended = {**SAID, "ended_at": "2026-11-02T01:00:00Z"}
    ended.pop("started_at")
    assert the_run(read(tmp_path, state(*LOG, END), said=ended))["started_at"] == datetime(
        2026, 11, 2, 0, 50, tzinfo=UTC
    )


def test_the_runtime_may_stand_in_the_results_beside(tmp_path: Path) -> None:
    run = the_run(read(tmp_path, state(*LOG), said=SAID, results={"train_runtime": 1200.0}))
    assert run["ended_at"] == datetime(2026, 11, 2, 0, 20, tzinfo=UTC)


def test_checkpoints_of_one_run_share_a_key_and_know_how_far_they_came(tmp_path: Path) -> None:
    rows = [{"step": each, "loss": 1.0} for each in range(1, 9)]
    early = read(tmp_path, state(*rows[:5], global_step=5), "inbox/hf/sft/checkpoint-5/trainer_state.json")
    late = read(tmp_path, state(*rows, global_step=8), "inbox/hf/sft/checkpoint-8/trainer_state.json")
    other = read(tmp_path, state(*rows, global_step=8), "inbox/hf/dpo/checkpoint-8/trainer_state.json")
    assert the_run(early)["run_key"] == the_run(late)["run_key"] != the_run(other)["run_key"]
    assert the_run(early)["run_id"] == the_run(late)["run_id"]
    assert (the_run(early)["steps"], the_run(late)["steps"]) == (5, 8)


def test_checkpoints_that_have_logged_once_or_never_are_checkpoints_of_the_run(tmp_path: Path) -> None:
    """Trainers save and log every 500 steps by default, so that the first checkpoint has one row."""
    rows = [{"step": each, "loss": 1.0} for each in (500, 1000, 1500)]
    first = read(tmp_path, state(*rows[:1], global_step=500), "inbox/hf/sft/checkpoint-500/trainer_state.json")
    last = read(tmp_path, state(*rows, global_step=1500), "inbox/hf/sft/checkpoint-1500/trainer_state.json")
    assert the_run(first)["run_key"] == the_run(last)["run_key"]
    before = read(tmp_path, state(global_step=100), "inbox/hf/sft/checkpoint-100/trainer_state.json")
    assert (before.rows, before.frames) == (1, {})


@pytest.mark.parametrize(
    ("rows", "change", "said", "tokens"),
    [
        ([{"step": 10, "loss": 1.0, "num_tokens": 900}], {"num_input_tokens_seen": 800}, SAID, 900.0),
        (LOG, {"num_input_tokens_seen": 800}, SAID, 800.0),
        (LOG, {}, {**SAID, "tokens_per_step": 100}, 3000.0),
        (LOG, {}, SAID, None),
    ],
)
def test_tokens_are_logged_counted_or_reckoned(
    tmp_path: Path, rows: list[dict[str, Any]], change: dict[str, Any], said: dict[str, object], tokens: float | None
) -> None:
    assert the_run(read(tmp_path, state(*rows, **change), said=said))["tokens"] == tokens


def test_the_last_validation_loss_is_the_final_one_and_nan_is_none(tmp_path: Path) -> None:
    rows = [*LOG, {"step": 30, "eval_loss": 1.5, "eval_runtime": 3.0}, {"step": 31, "eval_loss": float("nan")}, END]
    reading = read(tmp_path, state(*rows))
    assert (the_run(reading)["final_loss"], the_run(reading)["loss_name"]) == (1.5, "eval_loss")
    metrics = reading.frames["metric_rows"]
    assert metrics.filter(metrics["name"] == "eval_loss")["is_finite"].to_list() == [True, False]


def test_a_log_that_begins_late_is_resumed(tmp_path: Path) -> None:
    assert read(tmp_path, state({"step": 500, "loss": 1.0})).flags == ("resumed",)
    assert read(tmp_path, state(*LOG)).flags == ()


def test_other_files_are_rows_that_count_nothing_or_none(tmp_path: Path) -> None:
    assert read(tmp_path, {"train_runtime": 5.0}, "inbox/hf/sft/train_results.json").rows == 1
    assert read(tmp_path, "binary", "inbox/hf/sft/training_args.bin").rows == 0
    broken = read(tmp_path, '{"log_history": [', "inbox/hf/sft/trainer_state.json")
    assert broken.refused.select("location", "reason").rows() == [("file", "bad_json")]


def test_a_run_that_goes_on_to_more_steps_is_the_same_run_and_its_processes_add_up(tmp_path: Path) -> None:
    rows = [{"step": each, "loss": 1.0} for each in range(1, 9)]
    first = [*rows[:6], {"step": 6, "train_runtime": 600.0}]
    once = read(tmp_path, state(*first, global_step=6, max_steps=6), "inbox/hf/sft/checkpoint-6/trainer_state.json")
    both = [*first, *rows[6:], {"step": 8, "train_runtime": 300.0}]
    twice = the_run(read(tmp_path, state(*both, global_step=8, max_steps=8), said=SAID))
    assert the_run(once)["run_key"] == the_run(read(tmp_path, state(*both, global_step=8, max_steps=8)))["run_key"]
    assert twice["ended_at"] == datetime(2026, 11, 2, 0, 15, tzinfo=UTC)  # 600 s + 300 s


def test_a_log_of_five_rows_is_known_again_in_any_folder(tmp_path: Path) -> None:
    rows = [{"step": step, "loss": 3.0 - step / 7, "epoch": step / 10} for step in range(1, 7)]
    elsewhere = "inbox/hf/backup/trainer_state.json"
    one, copied, other = (
        the_run(read(tmp_path, state(*log), file))
        for log, file in ((rows, FILE), (rows[:5], elsewhere), ([{**rows[0], "loss": 9.0}, *rows[1:]], FILE))
    )
    assert one["log_key"] == copied["log_key"] != other["log_key"]
    assert one["run_key"] != copied["run_key"]
    assert the_run(read(tmp_path, state(*rows[:4])))["log_key"] is None
