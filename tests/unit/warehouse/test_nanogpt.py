"""nanoGPT logs: lines of steps after source code that looks alike; GPUs from nvidia-smi, dates from elsewhere."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training import nanogpt

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
FILE = "inbox/ng/2026-11-02_Shorter/run-7.log.gz"
SOURCE = Source("ng", "training_logs", "nanogpt", "inbox/ng/**/*")
CODE = [
    "import torch",
    'print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} train_time:{training_time_ms:.0f}ms")',
    "# step:10/10 val_loss:1.0 train_time:9ms step_avg:0.9ms",
    "  step:10/10 val_loss:1.0 train_time:9ms step_avg:0.9ms",
]
SMI = [
    f"|   {gpu}  NVIDIA H100 80GB HBM3          On  |   00000000:{gpu}3:00.0 Off |                    0 |"
    for gpu in range(8)
]
STEPS = [
    "step:0/20 val_loss:10.8258 train_time:0ms step_avg:nanms",
    "step:1/20 train_time:500ms step_avg:nanms",
    "step:10/20 train_loss:5.1000 train_time:40000ms step_avg:4000.00ms",
    "step:20/20 val_loss:3.2773 train_time:79740ms step_avg:3987.00ms",
]
SAID = {"run_id": "r7", "started_at": "2026-11-03T10:00:00Z", "tokens_per_step": 1000}


def read(folder: Path, *lines: str, said: dict[str, Any] | None = None, file: str = FILE, end: str = "\n") -> Reading:
    (folder / "content").write_text("\n".join(lines) + end)
    beside = {}
    if said is not None:
        (folder / "said").write_text(json.dumps(said))
        beside["inbox/ng/trisect-run.json"] = folder / "said"
    return nanogpt.read(Delivered(file, "ab" * 32, 1, folder / "content", NIGHT, beside), SOURCE)


def the_run(reading: Reading) -> dict[str, Any]:
    [run] = reading.frames["run_rows"].to_dicts()
    return run


def test_only_lines_that_are_steps_from_start_to_end_count(tmp_path: Path) -> None:
    reading = read(tmp_path, *CODE, *SMI, *STEPS, "peak memory allocated: 54036 MiB", said=SAID)
    run = the_run(reading)
    assert (reading.rows, reading.foreign_lines, reading.refused.height) == (4, len(CODE) + len(SMI) + 1, 0)
    assert (run["run_id"], run["run_name"], run["project"]) == ("r7", "run-7", "2026-11-02_Shorter")
    assert (run["gpu_count"], run["gpu_model"]) == (8.0, "H100")
    assert (run["started_at"], run["ended_at"]) == (
        datetime(2026, 11, 3, 10, tzinfo=UTC),
        datetime(2026, 11, 3, 10, 1, 19, 740_000, tzinfo=UTC),  # 79.74 s of training
    )
    assert (run["status"], run["end_source"], run["steps"], run["tokens"]) == ("finished", "logged", 20, 20_000.0)
    assert (run["final_loss"], run["loss_name"]) == (3.2773, "val_loss")
    assert reading.flags == ("clock_partial",)
    found = reading.frames["metric_rows"].select("step", "name", "value").rows()
    assert found == [(0, "val_loss", 10.8258), (10, "train_loss", 5.1), (20, "val_loss", 3.2773)]


def test_without_a_sidecar_the_path_names_the_day(tmp_path: Path) -> None:
    reading = read(tmp_path, *STEPS)
    assert the_run(reading)["started_at"] == datetime(2026, 11, 2, tzinfo=UTC)
    assert reading.flags == ("clock_partial", "day_from_path")
    assert the_run(reading)["gpu_count"] is None
    nowhere = the_run(read(tmp_path, *STEPS, file="inbox/ng/2026-13-45/run.txt"))
    assert (nowhere["started_at"], nowhere["ended_at"], nowhere["run_id"]) == (None, None, "inbox/ng/2026-13-45/run")


def test_a_clock_that_falls_back_was_started_again(tmp_path: Path) -> None:
    again = ["step:5/20 train_time:10000ms step_avg:2000.00ms", "step:6/20 train_time:12000ms step_avg:2000.00ms"]
    run = the_run(read(tmp_path, *STEPS[:3], *again, said=SAID))
    assert run["ended_at"] - run["started_at"] == timedelta(seconds=40 + 12)
    assert (run["status"], run["end_source"]) == ("unknown", "last_event")


def test_the_iterations_of_nanogpt_take_their_time_each(tmp_path: Path) -> None:
    lines = [
        "step 0: train loss 10.9, val loss 10.9",
        "iter 0: loss 10.9, time 1000.00ms, mfu -100.00%",
        "iter 10: loss 9.5, time 250.00ms, mfu 40.00%",
        "iter 20: loss nan, time 250.00ms, mfu 41.00%",
    ]
    reading = read(tmp_path, *lines, said=SAID)
    run = the_run(reading)
    assert run["ended_at"] - run["started_at"] == timedelta(seconds=1 + 10 * 0.25 + 10 * 0.25)
    assert (run["final_loss"], run["loss_name"], run["steps"]) == (10.9, "val_loss", 20)
    assert reading.frames["metric_rows"].filter(~reading.frames["metric_rows"]["is_finite"]).height == 1


@pytest.mark.parametrize(("end", "reason"), [("", "truncated"), ("\n", "bad_decimal")])
def test_a_step_that_is_cut_is_refused_alone(tmp_path: Path, end: str, reason: str) -> None:
    reading = read(tmp_path, *STEPS, "step:21/20 val_loss:3.", end=end)
    assert reading.refused.select("location", "reason", "raw").rows() == [("line 5", reason, "")]
    assert (reading.rows, the_run(reading)["steps"]) == (5, 20)


def test_a_file_without_steps_holds_no_rows(tmp_path: Path) -> None:
    reading = read(tmp_path, *CODE, "s:0 tel:10.9830")
    assert (reading.rows, reading.frames, reading.foreign_lines) == (0, {}, 5)


def test_a_day_ahead_is_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, *STEPS, file="inbox/ng/2027-01-01_Later/run.txt")
    assert reading.refused["reason"].to_list() == ["date_out_of_range"]


def test_the_records_of_a_public_speedrun_add_up(shared: Path, tmp_path: Path) -> None:
    archive = shared / "data" / "modded_nanogpt" / "logs.tar.gz"
    if not archive.exists():
        pytest.skip("the public logs are not beside the checkout")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    counts, gpu_hours = Counter[float | None](), 0.0
    for path in sorted(tmp_path.rglob("2025-0*/*.txt")):
        delivered = Delivered(str(path.relative_to(tmp_path)), "ab", 1, path, NIGHT)
        run = the_run(nanogpt.read(delivered, SOURCE))
        counts[run["gpu_count"]] += 1
        gpu_hours += (run["gpu_count"] or 0) * (run["ended_at"] - run["started_at"]) / timedelta(hours=1)
    assert counts == {8.0: 190, None: 1}
    assert gpu_hours == pytest.approx(103.31774888888887)


def test_a_log_under_another_name_is_known_by_its_first_losses(tmp_path: Path) -> None:
    losses = [f"step:{step}/20 train_loss:{5 - step / 7:.4f} train_time:{step}00ms" for step in range(5)]
    one, copied, other = (
        the_run(read(tmp_path, *lines, said=SAID, file=file))
        for lines, file in ((losses, FILE), (losses, "inbox/ng/copy.log"), (losses[:4], FILE))
    )
    assert one["log_key"] == copied["log_key"] is not None
    assert other["log_key"] is None
