"""MLflow stores: runs, their GPUs and values; what children hold, what was deleted, what is not yet in the store."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.training import mlflow

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("tracker", "training_logs", "mlflow", "inbox/mlflow/*")
LAYOUT = """
    CREATE TABLE experiments (experiment_id INTEGER, name VARCHAR, lifecycle_stage VARCHAR);
    CREATE TABLE runs (run_uuid VARCHAR, name VARCHAR, user_id VARCHAR, status VARCHAR, start_time BIGINT,
        end_time BIGINT, lifecycle_stage VARCHAR, experiment_id INTEGER);
    CREATE TABLE metrics (key VARCHAR, value FLOAT, timestamp BIGINT, run_uuid VARCHAR, step BIGINT, is_nan BOOLEAN);
    CREATE TABLE params (key VARCHAR, value VARCHAR, run_uuid VARCHAR);
    CREATE TABLE tags (key VARCHAR, value VARCHAR, run_uuid VARCHAR);
    INSERT INTO experiments VALUES (1, 'sft', 'active');
"""


def at(hours: float) -> int:
    """Milliseconds since 1970, so many hours after the night's start."""
    return round((NIGHT + timedelta(hours=hours)).timestamp() * 1000)


class Store:
    """A tracking store under construction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = sqlite3.connect(folder / "mlflow.db")
        self.connection.executescript(LAYOUT)

    def run(self, name: str, status: str, start: object, end: object, **settings: object) -> Store:
        """One more run, with its tags."""
        stage = settings.pop("stage", "active")
        row = (name, f"{name}-name", "canary@example.com", status, start, end, stage)
        self.connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, 1)", row)
        for key, value in settings.items():
            self.connection.execute("INSERT INTO tags VALUES (?, ?, ?)", (key.replace("__", "."), str(value), name))
        return self

    def value(self, run: str, key: str, step: int, hours: float, value: object, is_nan: int = 0) -> Store:
        """One more logged value."""
        row = (key, value, at(hours), run, step, is_nan)
        self.connection.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", row)
        return self

    def read(self, said: dict[str, object] | None = None) -> Reading:
        """What the store tells once it is closed."""
        self.connection.commit()
        self.connection.close()
        return read(self.folder, "mlflow.db", said)


def read(folder: Path, file: str, said: dict[str, object] | None = None) -> Reading:
    (folder / "private").mkdir(exist_ok=True)
    shutil.copy(folder / file, folder / "private" / "content")
    side_files = {}
    if (folder / f"{file}-wal").exists():
        shutil.copy(folder / f"{file}-wal", folder / "private" / "side")
        side_files[f"inbox/{file}-wal"] = folder / "private" / "side"
    if said is not None:
        (folder / "private" / "said").write_text(json.dumps(said))
        side_files["inbox/trisect-run.json"] = folder / "private" / "said"
    return mlflow.read(
        Delivered(f"inbox/{file}", "ab" * 32, 1, folder / "private" / "content", NIGHT, side_files), SOURCE
    )


def runs(reading: Reading) -> dict[str, dict[str, Any]]:
    return {run["run_id"]: run for run in reading.frames["run_rows"].to_dicts()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_run_has_the_times_of_the_store_and_the_gpus_of_its_tags(store: Store) -> None:
    store.run("a", "FINISHED", at(-5), at(-3), gpu_count=8, gpu_type="NVIDIA A100-SXM4-80GB", mlflow__host="n1")
    store.value("a", "train_loss", 1, -4, 2.5).value("a", "eval_loss", 2, -4, 2.25).value("a", "num_tokens", 2, -4, 900)
    reading = store.read()
    run = runs(reading)["a"]
    assert (run["run_name"], run["project"], run["hosts"]) == ("a-name", "sft", ["n1"])
    assert (run["started_at"], run["ended_at"]) == (NIGHT - timedelta(hours=5), NIGHT - timedelta(hours=3))
    assert (run["status"], run["end_source"], run["gpu_count"], run["gpu_model"]) == ("finished", "logged", 8.0, "A100")
    assert (run["steps"], run["tokens"], run["final_loss"], run["loss_name"]) == (2, 900.0, 2.25, "eval_loss")
    assert (reading.rows, reading.frames["metric_rows"].height) == (4, 3)
    assert "canary" not in str(reading)


@pytest.mark.parametrize(("word", "status"), [("FAILED", "failed"), ("KILLED", "cancelled")])
def test_statuses_have_one_meaning(store: Store, word: str, status: str) -> None:
    assert runs(store.run("a", word, at(-5), at(-3)).read())["a"]["status"] == status


def test_a_run_that_logged_lately_goes_on_and_one_that_did_not_stopped_unseen(store: Store) -> None:
    store.run("live", "RUNNING", at(-50), None).value("live", "loss", 1, -23, 1.0)
    store.run("dead", "RUNNING", at(-50), None).value("dead", "loss", 1, -25, 1.0)
    reading = store.read()
    live, dead = runs(reading)["live"], runs(reading)["dead"]
    assert (live["ended_at"], live["end_source"], live["status"]) == (None, "censored", "running")
    assert (dead["end_source"], dead["status"]) == ("last_event", "unknown")
    assert dead["ended_at"] == NIGHT - timedelta(hours=25)
    assert reading.flags == ("still_running",)


def test_children_name_their_parent_and_keep_the_gpus_that_they_log(store: Store) -> None:
    store.run("parent", "FINISHED", at(-9), at(-3), gpu_count=8)
    store.run("child", "FINISHED", at(-8), at(-4), gpu_count=8, mlflow__parentRunId="parent")
    found = runs(store.read())
    assert [found[name]["gpu_count"] for name in ("parent", "child")] == [8.0, 8.0]
    assert found["child"]["parent_run_id"] == "parent"


def test_values_that_stop_for_hours_and_go_on_are_two_attempts(store: Store) -> None:
    store.run("a", "FINISHED", at(-24), at(-4), gpu_count=4)
    for minute in range(0, 60, 10):
        store.value("a", "loss", minute, -24 + minute / 60, 3.0).value("a", "loss", 50 + minute, -5 + minute / 60, 2.0)
    rows = store.read().frames["run_rows"].sort("started_at")
    assert rows.select("run_id", "first_step", "last_step").rows() == [("a", 0, 50), ("a", 50, 100)]
    assert rows["started_at"].to_list() == [NIGHT - timedelta(hours=24), NIGHT - timedelta(hours=5)]
    assert rows["ended_at"].to_list() == [NIGHT - timedelta(hours=24, minutes=-50), NIGHT - timedelta(hours=4)]
    assert rows["status"].to_list() == ["unknown", "finished"]


def test_an_end_before_the_last_value_is_that_of_an_earlier_session(store: Store) -> None:
    store.run("on", "RUNNING", at(-20), at(-18)).value("on", "loss", 1, -2, 1.0)
    store.run("over", "FINISHED", at(-20), at(-18)).value("over", "loss", 1, -2, 1.0)
    found = runs(store.read())
    assert (found["on"]["ended_at"], found["on"]["status"]) == (None, "running")
    assert (found["over"]["ended_at"], found["over"]["end_source"]) == (NIGHT - timedelta(hours=2), "last_event")


def test_a_run_that_somebody_closed_days_after_it_died_ends_with_its_last_value(store: Store) -> None:
    for name, status in (("died", "FAILED"), ("evaluated", "FINISHED")):
        store.run(name, status, at(-60), at(-10))
        for minute in range(60):
            store.value(name, "loss", minute, -60 + minute / 60, 3.0)
    found = runs(store.read())
    assert found["died"]["ended_at"] == NIGHT - timedelta(hours=59, minutes=1)
    assert found["evaluated"]["ended_at"] == NIGHT - timedelta(hours=10)


def test_gpus_of_several_nodes_are_the_distinct_pairs_of_node_and_gpu(store: Store) -> None:
    store.run("a", "FINISHED", at(-5), at(-3))
    for node in ("node-0", "node-1"):
        for gpu in range(8):
            store.value("a", f"system/{node}/gpu_{gpu}_utilization_percentage", 0, -4, 90.0)
    run = runs(store.read())["a"]
    assert (run["gpu_count"], run["gpu_scope"]) == (16.0, "job")


@pytest.mark.parametrize(
    ("settings", "gpus"),
    [
        ({"world_size": 16}, 16.0),
        ({"devices": 8, "num_nodes": 4}, 32.0),
        ({"devices": "[0, 1, 3]", "num_nodes": 2}, 6.0),
        ({"num_gpus": "8.0"}, 8.0),
        ({"gpu_count": "0.5"}, 0.5),
        ({"num_gpus": "all"}, None),
        ({"devices": "auto", "num_nodes": 2}, None),
    ],
)
def test_gpus_are_counted_as_settings_allow(store: Store, settings: dict[str, object], gpus: float | None) -> None:
    assert runs(store.run("a", "FINISHED", at(-5), at(-3), **settings).read())["a"]["gpu_count"] == gpus


def test_gpus_that_only_the_system_saw_are_counted(store: Store) -> None:
    store.run("a", "FINISHED", at(-5), at(-3))
    for gpu in range(4):
        store.value("a", f"system/gpu_{gpu}_utilization_percentage", 0, -4, 90.0)
    store.run("b", "FINISHED", at(-5), at(-3), devices="auto", num_nodes=2)
    store.value("b", "system/gpu_0_utilization_percentage", 0, -4, 90.0)
    found = runs(store.read())
    assert (found["a"]["gpu_count"], found["a"]["gpu_scope"]) == (4.0, "host")
    assert (found["b"]["gpu_count"], found["b"]["gpu_scope"]) == (2.0, "job")  # one on each of two nodes


def test_deleted_runs_have_cost_money_and_are_kept(store: Store) -> None:
    reading = store.run("a", "FINISHED", at(-5), at(-3), stage="deleted").read()
    assert (list(runs(reading)), reading.flags) == (["a"], ("deleted_runs",))


def test_a_value_that_is_no_number_is_kept_as_such(store: Store) -> None:
    store.run("a", "FINISHED", at(-5), at(-3)).value("a", "loss", 1, -4, 2.0).value("a", "loss", 2, -4, 0.0, is_nan=1)
    reading = store.read()
    assert runs(reading)["a"]["final_loss"] == 2.0
    assert reading.frames["metric_rows"]["is_finite"].to_list() == [True, False]


def test_rows_of_strange_types_are_refused_alone(store: Store) -> None:
    store.run("a", "FINISHED", at(-5), at(-3)).run("b", "FINISHED", "yesterday", at(-3)).run("c", "FINISHED", 5, at(-3))
    store.value("a", "loss", 1, -4, "low")
    reading = store.read()
    assert sorted(reading.refused["reason"]) == ["bad_date", "bad_decimal", "date_out_of_range"]
    assert (reading.rows, list(runs(reading))) == (4, ["a"])


def test_a_sidecar_knows_the_gpus_of_a_store_that_does_not(store: Store) -> None:
    reading = store.run("a", "FINISHED", at(-5), at(-3)).read({"gpu_count": 4, "gpu_model": "L40S", "run_id": "x"})
    assert (runs(reading)["a"]["gpu_count"], runs(reading)["a"]["gpu_model"]) == (4.0, "L40S")


def test_what_is_not_yet_in_the_store_is_read_from_its_log(tmp_path: Path) -> None:
    building = Store(tmp_path)
    building.connection.execute("PRAGMA journal_mode = WAL")
    building.connection.commit()
    building.run("a", "FINISHED", at(-5), at(-3))
    building.connection.commit()
    with closing(building.connection):
        assert list(runs(read(tmp_path, "mlflow.db"))) == ["a"]
        assert mlflow.side_files("inbox/mlflow.db")[0] == "inbox/mlflow.db-wal"


def test_what_is_no_store_is_rejected_and_side_files_hold_no_rows(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("hello")
    with pytest.raises(RejectedFile, match="unreadable"):
        read(tmp_path, "notes.db")
    (tmp_path / "mlflow.db-wal").write_bytes(b"x")
    assert read(tmp_path, "mlflow.db-wal").rows == 0


ENDLESS = """
    DROP TABLE metrics;
    CREATE VIEW metrics AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000000)
    SELECT 'loss' AS key, 1.0 AS value, 0 AS timestamp, 'a' AS run_uuid, i AS step, 0 AS is_nan FROM n
"""
VIRTUAL = "DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts5(key, value, run_uuid)"


@pytest.mark.parametrize(("said", "name"), [(ENDLESS, "metrics is a view"), (VIRTUAL, "tags is a virtual table")])
def test_what_computes_under_the_name_of_a_table_is_refused_unread(tmp_path: Path, said: str, name: str) -> None:
    store = Store(tmp_path)
    store.connection.executescript(said)

    with pytest.raises(RejectedFile, match=f"unreadable: {name}, not a table"):
        store.read()


def test_a_store_that_takes_more_steps_than_its_size_can_need_is_over_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "_STEPS", 1_000)
    monkeypatch.setattr(mlflow, "_STEPS_PER_BYTE", 0)
    monkeypatch.setattr(mlflow, "_STEPS_AT_ONCE", 100)
    store = Store(tmp_path).run("a", "FINISHED", at(-5), at(-1))
    for step in range(100):
        store.value("a", "loss", step, -4, 1.0)

    with pytest.raises(RejectedFile, match="limit: reading it takes more steps"):
        store.read()


def test_a_store_of_more_rows_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "MOST_ROWS", 2)
    store = Store(tmp_path).run("a", "FINISHED", at(-5), at(-1), gpus=1, host="n", zone="z")

    with pytest.raises(RejectedFile, match="limit: more than 2 rows in one table"):
        store.read()
