"""Runs with their pool, model, phase and team: allocation rules, sections 5 and 8."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from transforms.staging.checks import runs_that_end_before_they_start
from transforms.staging.run_attempts import run_attempts
from transforms.staging.training_metrics import training_metrics
from transforms.staging.training_runs import training_runs
from warehouse.schemas import CATALOGUE

NIGHT_END = datetime(2026, 11, 21, tzinfo=UTC)
START = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def run(**more: Any) -> dict[str, Any]:
    return {
        "file_sha256": "f",
        "location": "file",
        "source": "logs",
        "run_id": "a",
        "is_job": False,
        "hosts": [],
        "started_at": START,
        "ended_at": START + HOUR,
        "end_source": "logged",
        "status": "finished",
        "gpu_count": 8.0,
        **more,
    }


def attempts(*runs: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> pl.DataFrame:
    listed = [
        {"position": number, "line": number + 2, "priority": 1, "source": "*", **rule}
        for number, rule in enumerate(rules)
    ]
    settings = table("settings", [{"night_end": NIGHT_END}])
    return run_attempts(table("run_rows", list(runs)), table("attribution", listed), settings)


def known(*runs: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> pl.DataFrame:
    return training_runs(attempts(*runs, rules=rules))


def one(*runs: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return known(*runs, rules=rules).row(0, named=True)


def test_pool_and_model_are_looked_up_separately_each_by_its_first_rule() -> None:
    rules = (
        {
            "field": "project",
            "pattern": "sft",
            "target": "model",
            "target_id": "m",
            "phase": "posttraining",
            "team": "t",
        },
        {"field": "project", "pattern": "*", "target": "model", "target_id": "n", "phase": "pretraining"},
        {"field": "cluster", "pattern": "c1", "target": "pool", "target_id": "p"},
    )
    found = one(run(project="sft", cluster="c1", team="logged"), rules=rules)

    assert (found["pool_id"], found["model_id"], found["phase"], found["team"]) == ("p", "m", "posttraining", "t")


def test_a_run_without_a_rule_has_no_pool_and_no_model_and_keeps_its_logged_team() -> None:
    found = one(run(team="logged"))

    assert (found["pool_id"], found["model_id"], found["phase"], found["team"]) == (None, None, None, "logged")


def test_a_run_may_be_named_by_any_of_its_hosts() -> None:
    rules = ({"field": "host", "pattern": "node-2", "target": "pool", "target_id": "p"},)

    assert one(run(hosts=["node-1", "Node-2"]), rules=rules)["pool_id"] == "p"


def test_the_rule_must_be_open_on_the_day_the_run_starts() -> None:
    rules = (
        {"field": "run_name", "pattern": "*", "target": "pool", "target_id": "p", "valid_from": date(2026, 11, 21)},
    )

    assert one(run(run_name="x"), rules=rules)["pool_id"] is None


def test_gpu_seconds_are_gpus_times_the_time_between_start_and_end() -> None:
    assert one(run())["gpu_seconds"] == 8 * 3600
    assert one(run(gpu_seconds=5.0))["gpu_seconds"] == 5.0
    assert one(run(gpu_count=None))["gpu_seconds"] is None


def test_a_run_holds_its_gpus_from_the_first_to_the_last_record_else_from_start_to_end() -> None:
    logged = one(run(held_from=START - HOUR, held_to=START + 2 * HOUR))
    plain = one(run())

    assert (logged["held_from"], logged["held_to"]) == (START - HOUR, START + 2 * HOUR)
    assert (plain["held_from"], plain["held_to"]) == (START, START + HOUR)


def test_a_run_that_starts_after_the_night_is_absent() -> None:
    assert known(run(started_at=NIGHT_END)).is_empty()


def test_a_run_without_an_end_is_censored_at_the_night() -> None:
    found = one(run(ended_at=None, end_source="censored", status="unknown", gpu_seconds=None))

    assert (found["ended_at"], found["held_to"]) == (NIGHT_END, NIGHT_END)
    assert (found["end_source"], found["status"], found["gpu_seconds"]) == ("censored", "running", 8 * 14 * 3600)


def test_a_run_that_goes_on_after_the_night_is_shown_as_it_stood_then() -> None:
    found = one(run(ended_at=NIGHT_END + HOUR, gpu_seconds=99.0))

    assert (found["ended_at"], found["end_source"], found["status"]) == (NIGHT_END, "censored", "running")
    assert found["gpu_seconds"] == 8 * 14 * 3600


def test_a_failed_run_without_an_end_stays_failed() -> None:
    assert one(run(ended_at=None, status="failed"))["status"] == "failed"


def test_a_run_without_times_is_listed_and_holds_nothing() -> None:
    found = one(run(started_at=None, ended_at=None, end_source="last_event", status="unknown"))

    assert (found["held_from"], found["held_to"], found["gpu_seconds"]) == (None, None, None)
    assert (found["status"], found["end_source"]) == ("unknown", "last_event")


def test_of_several_logs_of_one_run_the_one_that_tells_most_counts() -> None:
    short, long = run(steps=10, file_sha256="z"), run(steps=20, file_sha256="a")

    assert known(short, long)["steps"].to_list() == known(long, short)["steps"].to_list() == [20]


def test_a_run_that_ends_before_it_starts_is_named() -> None:
    assert runs_that_end_before_they_start(known(run(ended_at=START - HOUR)))["run_id"].to_list() == ["a"]
    assert runs_that_end_before_they_start(known(run())).is_empty()


def test_metrics_have_one_name_each_and_values_that_are_not_finite_are_unknown() -> None:
    rows = [
        {"run_id": "a", "step": 1, "name": "train/loss", "value": 2.5},
        {"run_id": "a", "step": 2, "name": " Loss", "value": float("nan")},
        {"run_id": "a", "step": 2, "name": "eval_loss", "value": 2.0},
        {"run_id": "a", "step": 2, "name": "my_metric", "value": float("inf")},
        {"run_id": "b", "step": 2, "name": "loss", "value": 1.0},
    ]
    found = training_metrics(table("metric_rows", [{"source": "logs", **row} for row in rows]), attempts(run()))

    assert found.select("name", "step", "value").rows() == [
        ("loss", 1, 2.5),
        ("loss", 2, None),
        ("my_metric", 2, None),
        ("val_loss", 2, 2.0),
    ]
