"""TensorBoard event files as their own library writes them: scalars old and new, segments, cut files."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.training import tensorboard

event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2")
masked_crc = pytest.importorskip("tensorboard.summary.writer.record_writer").masked_crc32c

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
SOURCE = Source("tb", "training_logs", "tensorboard", "inbox/tb/**/*")
FILE = "inbox/tb/atlas/sft-1/events.out.tfevents.1793610000.node-1.4711.0"


def event(minutes: float, step: int = 0, **values: float) -> Any:
    """One event with simple values, as PyTorch writes them."""
    made = event_pb2.Event(wall_time=START.timestamp() + 60 * minutes, step=step)
    for tag, value in values.items():
        made.summary.value.add(tag=tag, simple_value=value)
    return made


def packed(events: Sequence[Any]) -> bytes:
    """The events as TFRecords: length, its checksum, the bytes, their checksum."""
    out = b""
    for each in events:
        data = each.SerializeToString()
        length = struct.pack("<Q", len(data))
        out += length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))
    return out


def read(folder: Path, content: bytes, file: str = FILE, said: dict[str, Any] | None = None) -> Reading:
    (folder / "content").write_bytes(content)
    beside = {}
    if said is not None:
        (folder / "said").write_text(json.dumps(said))
        beside["inbox/tb/atlas/sft-1/trisect-run.json"] = folder / "said"
    return tensorboard.read(Delivered(file, "ab" * 32, 1, folder / "content", NIGHT, beside), SOURCE)


def runs(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["run_rows"].sort("started_at").to_dicts()


def test_a_file_is_a_segment_of_the_run_of_its_folder(tmp_path: Path) -> None:
    first = event_pb2.Event(wall_time=START.timestamp(), file_version="brain.Event:2")
    values = [
        event(minute, 10 * minute, **{"train/loss": 4.0 - minute, "num_tokens": 1000.0 * minute}) for minute in (1, 2)
    ]
    reading = read(tmp_path, packed([first, *values]), said={"gpu_count": 8, "gpu_model": "H100"})
    [run] = runs(reading)
    assert (run["run_id"], run["run_name"], run["project"]) == ("inbox/tb/atlas/sft-1", "sft-1", "atlas")
    assert (run["hosts"], run["gpu_count"], run["gpu_model"]) == (["node-1"], 8.0, "H100")
    assert (run["started_at"], run["ended_at"]) == (START, START + timedelta(minutes=2))
    assert (run["end_source"], run["status"]) == ("last_event", "unknown")
    assert (run["steps"], run["tokens"], run["final_loss"], run["loss_name"]) == (20, 2000.0, 2.0, "train/loss")
    assert (run["first_step"], run["last_step"], reading.rows) == (10, 20, 3)
    metrics = reading.frames["metric_rows"].filter(reading.frames["metric_rows"]["name"] == "train/loss")
    assert metrics.select("step", "tokens", "value").rows() == [(10, 1000.0, 3.0), (20, 2000.0, 2.0)]


def test_scalars_of_newer_writers_are_read_and_other_plugins_are_not(tmp_path: Path) -> None:
    newer = event_pb2.Event(wall_time=START.timestamp(), step=7)
    value = newer.summary.value.add(tag="loss")
    value.metadata.plugin_data.plugin_name = "scalars"
    value.tensor.dtype = 1
    value.tensor.float_val.append(1.5)
    text = event_pb2.Event(wall_time=START.timestamp() + 60, step=8)
    value = text.summary.value.add(tag="prompt")
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(b"CANARY")
    reading = read(tmp_path, packed([newer, text]))
    assert reading.frames["metric_rows"].select("step", "name", "value").rows() == [(7, "loss", 1.5)]
    assert "CANARY" not in str(reading)


def test_a_file_of_texts_alone_is_a_run_without_metrics(tmp_path: Path) -> None:
    reading = read(tmp_path, packed([event_pb2.Event(wall_time=START.timestamp(), file_version="brain.Event:2")]))
    assert (len(runs(reading)), reading.frames["metric_rows"].height) == (1, 0)


def test_files_of_one_folder_share_the_run_and_copies_of_one_file_the_key(tmp_path: Path) -> None:
    content = packed([event(1, 1, loss=1.0)])
    other = FILE.replace("1793610000", "1793620000")
    one, two = (runs(read(tmp_path, content, file))[0] for file in (FILE, other))
    rank = FILE.replace("sft-1/", "sft-1/rank_3/train/")
    assert runs(read(tmp_path, content, rank))[0]["run_id"] == one["run_id"]
    moved = runs(read(tmp_path, content, FILE.replace("atlas", "copy")))[0]
    assert (one["run_id"], one["run_key"] == two["run_key"]) == (two["run_id"], False)
    assert moved["run_key"] == one["run_key"]


def test_events_that_stop_for_hours_and_go_on_are_two_attempts(tmp_path: Path) -> None:
    minutes = (*range(30), *range(600, 630))
    first, last = runs(read(tmp_path, packed([event(minute, minute, loss=1.0) for minute in minutes])))
    assert (first["ended_at"], last["started_at"]) == (START + timedelta(minutes=29), START + timedelta(minutes=600))
    assert (first["last_step"], last["first_step"]) == (29, 600)


def test_a_cut_file_ends_with_its_last_whole_event(tmp_path: Path) -> None:
    whole = packed([event(1, 1, loss=2.0), event(2, 2, loss=1.0)])
    [run] = runs(read(tmp_path, whole[:-5]))
    assert (run["steps"], run["final_loss"]) == (1, 2.0)
    with pytest.raises(RejectedFile, match="unreadable"):
        read(tmp_path, b"hello")


def test_a_loss_that_is_no_number_is_a_metric_and_never_the_final_loss(tmp_path: Path) -> None:
    reading = read(tmp_path, packed([event(1, 1, loss=2.0), event(2, 2, loss=float("nan"))]))
    assert runs(reading)[0]["final_loss"] == 2.0
    assert reading.frames["metric_rows"]["is_finite"].to_list() == [True, False]


def test_an_event_of_another_century_is_refused_alone(tmp_path: Path) -> None:
    reading = read(tmp_path, packed([event(1, 1, loss=2.0), event(10**8, 2, loss=1.0)]))
    assert reading.refused.select("location", "reason").rows() == [("row 2", "date_out_of_range")]
    assert (reading.rows, len(runs(reading))) == (2, 1)


def test_other_files_of_the_folder_hold_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, b"{}", "inbox/tb/atlas/sft-1/hparams.yaml").rows == 0


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("events.out.tfevents.1793610000.node-1.cluster.local.4711.0", "node-1.cluster.local"),
        ("events.out.tfevents.1793610000.node-1.4711.0.v2", "node-1"),
        ("events.out.tfevents.1793610000.node-1", "node-1"),
        ("events.out.tfevents.1793610000.node-1.4711.0.gz", "node-1"),
    ],
)
def test_the_name_of_the_file_names_the_host(tmp_path: Path, name: str, host: str) -> None:
    assert runs(read(tmp_path, packed([event(1)]), f"inbox/tb/{name}"))[0]["hosts"] == [host]


@pytest.mark.parametrize("part", ["train", "validation", "eval"])
def test_the_folders_of_training_and_validation_are_one_run(tmp_path: Path, part: str) -> None:
    name = "events.out.tfevents.1762041600.node-1.17.0"
    [run] = runs(read(tmp_path, packed([event(0), event(1)]), file=f"inbox/tb/atlas/sft-1/{part}/{name}"))
    assert (run["run_id"], run["run_name"], run["project"]) == ("inbox/tb/atlas/sft-1", "sft-1", "atlas")
