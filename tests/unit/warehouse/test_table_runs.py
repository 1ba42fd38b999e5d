"""Training runs and metrics of any table, and what a sidecar adds to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.training import table as table_runs

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
RUN = {
    "run_id": "run-1",
    "run_name": "atlas-sft",
    "started_at": "2026-11-02T00:00:00Z",
    "ended_at": "2026-11-02T01:00:00Z",
    "status": "finished",
    "gpu_model": "NVIDIA H100 80GB HBM3",
    "gpu_count": "8",
    "tokens": "1000000",
    "steps": "500",
    "final_loss": "1.75",
}


def read(folder: Path, text: str, file: str = "inbox/train/runs.csv", said: dict[str, object] | None = None) -> Reading:
    content, beside = folder / "content", folder / "sidecar"
    content.write_text(text)
    beside.write_text(json.dumps(said))
    side_files = {} if said is None else {"inbox/train/trisect-run.json": beside}
    source = Source("train", "training_logs", "table", "inbox/train/*")
    return table_runs.read(Delivered(file, "ab" * 32, 1, content, NIGHT, side_files), source)


def table(*rows: dict[str, str], without: tuple[str, ...] = ()) -> str:
    names = [name for row in rows for name in row if name not in without]
    header = list(dict.fromkeys(names))
    return "\n".join([",".join(header), *(",".join(row.get(name, "") for name in header) for row in rows)]) + "\n"


def runs(reading: Reading) -> list[dict[str, Any]]:
    return reading.frames["run_rows"].to_dicts()


def test_a_row_is_a_run(tmp_path: Path) -> None:
    [run] = runs(read(tmp_path, table(RUN | {"hosts": "n1; n2"})))
    assert (run["run_id"], run["run_key"], run["run_name"]) == ("run-1", "run-1", "atlas-sft")
    assert (run["gpu_model"], run["gpu_count"], run["tokens"], run["steps"]) == ("H100", 8.0, 1_000_000.0, 500)
    assert (run["status"], run["end_source"], run["final_loss"], run["hosts"]) == (
        "finished",
        "logged",
        1.75,
        ["n1", "n2"],
    )
    assert run["ended_at"] == datetime(2026, 11, 2, 1, tzinfo=UTC)


def test_a_loss_of_nan_in_json_is_no_loss(tmp_path: Path) -> None:
    text = '{"run_id": "a", "started_at": "2026-11-02T00:00:00Z", "duration_s": 60, "final_loss": NaN}\n'
    [run] = runs(read(tmp_path, text, "inbox/train/runs.jsonl"))
    assert (run["final_loss"], run["loss_name"]) == (None, None)
    assert run["ended_at"] == datetime(2026, 11, 2, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "gpus"),
    [({"gpu_milli": "500"}, 0.5), ({"node_count": "4", "gpus_per_node": "8"}, 32.0), ({"gpu_count": "2.5"}, 2.5)],
)
def test_gpus_may_be_fractions_or_nodes_times_gpus(tmp_path: Path, said: dict[str, str], gpus: float) -> None:
    assert runs(read(tmp_path, table(RUN | {"gpu_count": ""} | said)))[0]["gpu_count"] == gpus


def test_a_run_may_state_its_gpu_time_alone(tmp_path: Path) -> None:
    [run] = runs(read(tmp_path, table(RUN | {"gpu_seconds": "28800"}, without=("ended_at",))))
    assert (run["gpu_seconds"], run["ended_at"]) == (28_800.0, datetime(2026, 11, 2, 1, tzinfo=UTC))  # 28,800 s ÷ 8


def test_a_run_without_start_never_ran_and_one_without_end_goes_on(tmp_path: Path) -> None:
    reading = read(tmp_path, table(RUN | {"started_at": ""}, RUN | {"run_id": "run-2", "ended_at": "", "status": ""}))
    [run] = runs(reading)
    assert (reading.rows, reading.refused.height) == (2, 0)
    assert (run["run_id"], run["ended_at"], run["end_source"], run["status"]) == ("run-2", None, "censored", "running")


@pytest.mark.parametrize(
    ("word", "status"), [("SUCCEEDED", "finished"), ("Crashed", "failed"), ("killed", "cancelled")]
)
def test_status_words_of_any_system_are_known(tmp_path: Path, word: str, status: str) -> None:
    assert runs(read(tmp_path, table(RUN | {"status": word})))[0]["status"] == status


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"run_id": ""}, "missing_key"),
        ({"started_at": "2026-13-01T00:00:00Z"}, "bad_date"),
        ({"started_at": "2027-01-01T00:00:00Z", "ended_at": ""}, "date_out_of_range"),
        ({"ended_at": "2026-11-01T00:00:00Z"}, "end_before_start"),
        ({"gpu_count": "-8"}, "bad_count"),
        ({"gpu_count": "eight"}, "bad_count"),
        ({"tokens": "1.5"}, "bad_count"),
        ({"final_loss": "low"}, "bad_decimal"),
    ],
)
def test_a_run_that_cannot_be_read_is_refused(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    reading = read(tmp_path, table(RUN | {"run_id": "good"}, RUN | change))
    assert reading.refused.select("location", "reason").rows() == [("line 3", reason)]
    assert [run["run_id"] for run in runs(reading)] == ["good"]


def test_runs_without_id_are_never_merged(tmp_path: Path) -> None:
    reading = read(tmp_path, table(RUN, RUN, without=("run_id",)))
    assert len({run["run_id"] for run in runs(reading)}) == len({run["run_key"] for run in runs(reading)}) == 2
    assert reading.flags == ("no_identity",)


def test_long_metrics_are_values_with_a_name(tmp_path: Path) -> None:
    text = "run_id,step,name,value,at\na,1,loss,2.5,2026-11-02T00:00:00Z\na,2,loss,nan,\na,x,loss,1,\n"
    reading = read(tmp_path, text)
    metrics = reading.frames["metric_rows"].to_dicts()
    assert [(row["run_id"], row["step"], row["name"], row["is_finite"]) for row in metrics] == [
        ("a", 1, "loss", True),
        ("a", 2, "loss", False),
    ]
    assert reading.refused["reason"].to_list() == ["bad_count"]


def test_wide_metrics_are_a_row_for_each_column_of_numbers(tmp_path: Path) -> None:
    text = "step,loss,lr,note\n1,2.5,0.1,CANARY\n2,2.25,,\n"
    reading = read(tmp_path, text)
    found = sorted(reading.frames["metric_rows"].select("run_id", "step", "name", "value").rows())
    run = "inbox/train/runs"
    assert found == [(run, 1, "loss", 2.5), (run, 1, "lr", 0.1), (run, 2, "loss", 2.25)]
    assert runs(reading) == []
    assert "CANARY" not in str(reading)


def test_a_sidecar_makes_a_run_of_metrics(tmp_path: Path) -> None:
    said = {"run_id": "mine", "started_at": "2026-11-02T00:00:00Z", "gpu_count": 4, "gpu_model": "a100", "status": "OK"}
    reading = read(tmp_path, "step,loss,tokens,at\n1,2.5,10,\n9,2.25,90,2026-11-02T03:00:00Z\n", said=said)
    [run] = runs(reading)
    assert (run["run_id"], run["gpu_count"], run["gpu_model"], run["status"]) == ("mine", 4.0, "A100", "finished")
    assert (run["steps"], run["tokens"], run["final_loss"], run["loss_name"]) == (9, 90.0, 2.25, "loss")
    assert (run["ended_at"], run["end_source"]) == (datetime(2026, 11, 2, 3, tzinfo=UTC), "last_event")
    stated = read(tmp_path, "step,loss\n1,2.5\n", said=said | {"ended_at": "2026-11-02T05:00:00+01:00"})
    assert (runs(stated)[0]["ended_at"].hour, runs(stated)[0]["end_source"]) == (4, "logged")


def test_a_sidecar_that_the_pattern_matches_is_one_row(tmp_path: Path) -> None:
    good = read(tmp_path, '{"gpu_count": 8}', "inbox/train/trisect-run.json")
    assert (good.rows, good.refused.height, good.frames) == (1, 0, {})
    broken = read(tmp_path, '{"gpu_count": "many"}', "inbox/train/trisect-run.json")
    assert broken.refused.select("location", "reason").rows() == [("file", "bad_json")]


def test_a_table_of_something_else_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r"missing_column.*started_at"):
        read(tmp_path, "colour,size\nred,1\n")


def test_a_run_that_ends_in_another_age_is_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, table(RUN, {**RUN, "run_id": "endless", "ended_at": "9999-12-31T23:59:59Z"}))

    assert [run["run_id"] for run in runs(reading)] == ["run-1"]
    assert reading.refused["reason"].to_list() == ["date_out_of_range"]


@pytest.mark.parametrize(
    "said",
    [
        {"gpu_count": "1e300"},
        {"gpu_count": "1000000000000001"},
        {"gpu_count": "", "node_count": "9" * 18, "gpus_per_node": "9" * 18},
        {"ended_at": "", "duration_s": "1e300"},
        {"ended_at": "", "gpu_seconds": "1e15", "gpu_count": "0.001"},
    ],
)
def test_a_run_that_states_more_than_there_can_be_is_refused_and_the_others_count(
    tmp_path: Path, said: dict[str, str]
) -> None:
    rows = [{**RUN, "run_id": "absurd", **said}, {**RUN, **dict.fromkeys(said, ""), **RUN}]
    reading = read(tmp_path, table(*rows))

    assert [run["run_id"] for run in runs(reading)] == ["run-1"]
    assert reading.refused["reason"].to_list() == ["bad_count"]


@pytest.mark.parametrize("count", ["-8", "1e300", "nan", "eight"])
def test_a_sidecar_with_an_impossible_number_of_gpus_is_named_and_refused(tmp_path: Path, count: str) -> None:
    with pytest.raises(RejectedFile, match=r"trisect-run.json is no sidecar"):
        read(tmp_path, "step,loss\n1,2.5\n", said={"run_id": "mine", "gpu_count": count})


@pytest.mark.parametrize("word", ["RUNNING", "REQUEUED", ""])
def test_a_run_with_an_end_has_ended_whatever_the_word(tmp_path: Path, word: str) -> None:
    [run] = runs(read(tmp_path, table(RUN | {"status": word})))
    assert (run["status"], run["end_source"]) == ("unknown", "logged")
