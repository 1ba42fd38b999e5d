"""Weights & Biases: the binary file of a run, the files beside it, and exported histories."""

from __future__ import annotations

import json
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training import wandb

NIGHT = datetime(2026, 2, 20, tzinfo=UTC)
SOURCE = Source("wb", "training_logs", "wandb", "inbox/wandb/**/*")
FOLDER = "inbox/wandb/run-20260211_121423-abc"
STARTED = 1_770_783_263  # 2026-02-11T04:14:23Z
METADATA = {"startedAt": "2026-02-11T04:14:23Z", "host": "n1", "gpu": "NVIDIA GeForce RTX 4090", "gpu_count": 2}


def varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found, number = found + bytes([number & 0x7F | 0x80]), number >> 7
    return found + bytes([number])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def item(name: str, value: object) -> bytes:
    return field(1, field(2, name.encode()) + field(16, json.dumps(value).encode()))


def typed_item(name: str, value: float) -> bytes:
    return field(1, field(1, name.encode()) + varint(6 << 3 | 1) + struct.pack("<d", value))


def history(step: int, at: float, *more: bytes, **values: object) -> bytes:
    said = {"_step": step, "_timestamp": STARTED + at, "_runtime": at, **values}
    return field(2, b"".join([*(item(name, value) for name, value in said.items()), *more]))


def run_record(**config: object) -> bytes:
    settings = b"".join(item(name, value) for name, value in config.items())
    start = field(17, field(1, STARTED) + field(2, 500_000_000))
    return field(
        17, field(1, b"abc") + field(3, b"atlas") + field(4, settings) + field(8, b"sft-1") + field(13, b"n1") + start
    )


EXIT = field(18, b"")
FAILED = field(18, field(1, 3))


def blocks(*payloads: bytes) -> bytes:
    """The payloads as a file, cut into blocks of 32,768 bytes as LevelDB does."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for payload in payloads:
        rest, is_first = payload, True
        while is_first or rest:
            room = 32_768 - len(out) % 32_768
            if room < 7:
                out += bytes(room)
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[is_first, not rest]
            is_first = False
            out += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
    return bytes(out)


def read(folder: Path, file: str, content: bytes, **beside: object) -> Reading:
    (folder / "content").write_bytes(content)
    side_files = {}
    for place, (name, written) in enumerate(beside.items()):
        path = {"metadata": "files/wandb-metadata.json", "summary": "files/wandb-summary.json"}.get(
            name, "run-abc.wandb"
        )
        (folder / str(place)).write_text(json.dumps(written))
        side_files[f"{FOLDER}/{path}"] = folder / str(place)
    delivered = Delivered(f"{FOLDER}/{file}", "ab" * 32, 1, folder / "content", NIGHT, side_files)
    return wandb.read(delivered, SOURCE)


def binary(folder: Path, *payloads: bytes, **beside: object) -> Reading:
    return read(folder, "run-abc.wandb", blocks(*payloads), **beside)


def the_run(reading: Reading) -> dict[str, Any]:
    [run] = reading.frames["run_rows"].to_dicts()
    return run


def test_the_binary_file_tells_the_whole_run(tmp_path: Path) -> None:
    values = [history(0, 1.0, loss=4.5, tokens_seen=100), history(7, 61.5, loss=2.25, tokens_seen=900)]
    reading = binary(tmp_path, run_record(), *values, EXIT, metadata=METADATA)
    run = the_run(reading)
    assert (run["run_id"], run["run_name"], run["project"], run["hosts"]) == ("abc", "sft-1", "atlas", ["n1"])
    assert run["started_at"] == datetime(2026, 2, 11, 4, 14, 23, 500_000, tzinfo=UTC)
    assert (run["ended_at"] - run["started_at"]).total_seconds() == 61.0  # the last value, 61.5 s after 04:14:23
    assert (run["status"], run["end_source"], run["steps"], run["tokens"]) == ("finished", "logged", 7, 900.0)
    assert (run["gpu_model"], run["gpu_count"]) == ("RTX 4090", 2.0)
    assert (run["final_loss"], run["loss_name"]) == (2.25, "loss")
    assert (reading.rows, reading.frames["metric_rows"].height) == (4, 4)


def test_typed_values_are_read_beside_values_in_json(tmp_path: Path) -> None:
    reading = binary(tmp_path, run_record(), history(1, 2.0, typed_item("loss", 0.5)), EXIT)
    assert the_run(reading)["final_loss"] == 0.5


def test_records_larger_than_a_block_and_paddings_are_read(tmp_path: Path) -> None:
    long = [history(step, step, note="x" * (30_000 + step), loss=1.0) for step in range(40)]
    assert binary(tmp_path, run_record(), *long, EXIT).rows == 42


def test_a_failed_run_ends_where_it_says(tmp_path: Path) -> None:
    assert the_run(binary(tmp_path, run_record(), history(1, 5.0, loss=1), FAILED))["status"] == "failed"


def test_a_cut_file_is_a_run_that_crashed_at_its_last_value(tmp_path: Path) -> None:
    whole = blocks(run_record(), history(1, 5.0, loss=1.0), history(2, 9.0, loss=0.5), EXIT)
    at_end = blocks(run_record(), history(1, 5.0, loss=1.0), history(2, 9.0, loss=0.5))
    reading = read(tmp_path, "run-abc.wandb", whole[: len(at_end) - 3])
    run = the_run(reading)
    assert (run["status"], run["end_source"], reading.flags) == ("failed", "last_event", ("cut",))
    assert run["ended_at"] == datetime(2026, 2, 11, 4, 14, 28, tzinfo=UTC)
    flipped = bytearray(whole)
    flipped[-20] ^= 1
    assert the_run(read(tmp_path, "run-abc.wandb", bytes(flipped)))["status"] == "failed"


def test_a_run_without_an_exit_ends_at_its_last_value(tmp_path: Path) -> None:
    run = the_run(binary(tmp_path, run_record(), history(1, 5.0, loss=1.0)))
    assert (run["status"], run["end_source"]) == ("unknown", "last_event")


def test_the_size_of_the_world_counts_the_gpus_of_all_hosts(tmp_path: Path) -> None:
    run = the_run(binary(tmp_path, run_record(world_size=16), EXIT, metadata=METADATA))
    assert run["gpu_count"] == 16.0


def test_without_a_binary_file_the_summary_tells_and_the_others_are_rows_that_count_nothing(tmp_path: Path) -> None:
    summary = {"_step": 50, "_runtime": 120.0, "_timestamp": STARTED + 124.5, "val/loss": 3.5}
    reading = read(tmp_path, "files/wandb-summary.json", json.dumps(summary).encode(), metadata=METADATA)
    run = the_run(reading)
    assert (run["run_id"], run["steps"], run["final_loss"], run["loss_name"]) == ("abc", 50, 3.5, "val/loss")
    assert (run["ended_at"] - run["started_at"]).total_seconds() == 124.5  # the last value; the clock is cumulative
    beside = read(tmp_path, "files/wandb-metadata.json", json.dumps(METADATA).encode(), summary=summary)
    assert (beside.rows, beside.frames) == (1, {})
    under = read(tmp_path, "files/wandb-summary.json", json.dumps(summary).encode(), metadata=METADATA, binary={})
    assert (under.rows, under.frames) == (1, {})


def test_other_files_of_the_folder_hold_no_rows(tmp_path: Path) -> None:
    reading = read(tmp_path, "files/requirements.txt", b"numpy==2.4\n")
    assert (reading.rows, reading.frames) == (0, {})


def test_an_exported_history_is_metrics_of_the_run_it_is_named_after(tmp_path: Path) -> None:
    lines = [
        {"_step": 0, "_timestamp": STARTED + 0.25, "train/loss": 4.5, "note": "CANARY"},
        {"_step": 5, "_timestamp": STARTED + 9, "train/loss": 4.25, "lr": 0.1},
    ]
    (tmp_path / "content").write_text("".join(json.dumps(line) + "\n" for line in lines))
    delivered = Delivered("inbox/wandb/run-abc.history.jsonl", "ab", 1, tmp_path / "content", NIGHT)
    reading = wandb.read(delivered, SOURCE)
    found = sorted(reading.frames["metric_rows"].select("run_id", "step", "name", "value").rows())
    assert found == [("abc", 0, "train/loss", 4.5), ("abc", 5, "lr", 0.1), ("abc", 5, "train/loss", 4.25)]
    assert reading.frames["metric_rows"]["at"].min() == datetime(2026, 2, 11, 4, 14, 23, 250_000, tzinfo=UTC)
    assert "CANARY" not in str(reading)


@pytest.mark.parametrize("file", ["files/wandb-summary.json", "files/wandb-metadata.json"])
def test_a_broken_file_beside_is_refused(tmp_path: Path, file: str) -> None:
    assert read(tmp_path, file, b"{").refused["reason"].to_list() == ["bad_json"]


def rows(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["run_rows"].to_dicts()


def test_a_folder_is_one_segment_of_its_run_whatever_the_record_says(tmp_path: Path) -> None:
    resumed = field(17, field(1, b"abc") + field(17, field(1, STARTED)) + varint(18 << 3) + varint(1))
    first, again = (
        the_run(binary(tmp_path, record, history(1, 5.0, loss=1), EXIT)) for record in (run_record(), resumed)
    )
    assert first["run_id"] == again["run_id"] == "abc"
    assert first["run_key"] == again["run_key"]
    assert (again["parent_run_id"], again["first_step"], again["last_step"]) == (None, 1, 1)


def test_the_clock_of_a_resumed_run_is_cumulative_and_never_measures_its_segment(tmp_path: Path) -> None:
    def value(step: int, at: float) -> bytes:
        said = {"_step": step, "_timestamp": STARTED + at, "_runtime": 10_800.0 + at, "loss": 1.0}
        return field(2, b"".join(item(name, value) for name, value in said.items()))

    run = the_run(binary(tmp_path, run_record(), value(400, 1.0), value(600, 7_200.0), EXIT))
    assert run["started_at"] == datetime(2026, 2, 11, 4, 14, 23, 500_000, tzinfo=UTC)
    assert run["ended_at"] == datetime(2026, 2, 11, 6, 14, 23, tzinfo=UTC)  # 7,200 s after the start, not 18,000


def test_an_exit_long_after_the_last_value_ends_the_run(tmp_path: Path) -> None:
    exit_at = field(18, varint(2 << 3) + varint(100))  # runtime of 100 s, the last value at 40 s
    run = the_run(binary(tmp_path, run_record(), history(1, 5.0, loss=1), history(2, 40.0, loss=1), exit_at))
    assert run["ended_at"] == datetime(2026, 2, 11, 4, 16, 3, tzinfo=UTC)


def test_values_that_stop_for_hours_are_two_attempts_unless_the_machine_was_measured(tmp_path: Path) -> None:
    values = [history(step, 60.0 * step, loss=1.0) for step in (*range(30), *range(300, 330))]
    first, last = rows(binary(tmp_path, run_record(), *values, EXIT))
    assert (first["first_step"], first["last_step"], last["first_step"], last["last_step"]) == (0, 29, 300, 329)
    assert (first["status"], first["end_source"], last["status"]) == ("unknown", "last_event", "finished")
    assert (last["started_at"] - first["ended_at"]).total_seconds() == 271 * 60

    stats = [field(7, field(2, field(1, STARTED + 60 * minute))) for minute in range(330)]
    [whole] = rows(binary(tmp_path, run_record(), *values, *stats, EXIT))
    assert (whole["first_step"], whole["last_step"]) == (0, 329)


@pytest.mark.parametrize(
    ("config", "metadata", "found"),
    [
        ({"world_size": 16}, METADATA, (16.0, "job")),
        ({"num_gpus": 4}, METADATA, (2.0, "host")),
        ({"num_gpus": 4}, {"startedAt": METADATA["startedAt"]}, (4.0, None)),
        ({}, {"startedAt": METADATA["startedAt"], "cpu_count": 8}, (0.0, None)),
        ({}, {"startedAt": METADATA["startedAt"]}, (None, None)),
    ],
)
def test_a_count_of_gpus_knows_whose_they_are(
    tmp_path: Path, config: dict[str, int], metadata: dict[str, object], found: tuple[float | None, str | None]
) -> None:
    run = the_run(binary(tmp_path, run_record(**config), EXIT, metadata=metadata))
    assert (run["gpu_count"], run["gpu_scope"]) == found


def test_group_rank_and_job_of_a_process_are_read(tmp_path: Path) -> None:
    grouped = field(17, field(1, b"abc") + field(6, b"sft-7") + field(4, item("train/local_rank", 3)))
    run = the_run(binary(tmp_path, grouped, EXIT, metadata=METADATA | {"slurm": {"job_id": "4711"}}))
    assert (run["run_group"], run["rank"], run["job_id"]) == ("sft-7", 3, "4711")
    alone = the_run(binary(tmp_path, run_record(local_rank=-1, SLURM_JOB_ID=12), EXIT))
    assert (alone["rank"], alone["job_id"]) == (None, "12")
