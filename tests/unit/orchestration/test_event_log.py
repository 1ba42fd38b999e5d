"""The event log stores what Dagster stores, kept open and in batches."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.dagster_store import dagster_home
from orchestration.settings import DagsterSection


@dg.asset
def spend() -> dg.MaterializeResult[None]:
    """A table of one row."""
    return dg.MaterializeResult(metadata={"dagster/row_count": 1})


@dg.asset_check(asset=spend)
def spend_is_known() -> dg.AssetCheckResult:
    """Always green."""
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dagster's home as a night lays it out; what it sets in the environment is undone."""
    for variable in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(variable, "")
    return dagster_home(tmp_path, DagsterSection())


def materialised(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """One run of the asset and its check."""
    return dg.materialize([spend, spend_is_known], instance=instance)


def test_a_run_is_found_again_by_dagsters_own_event_log(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        run = materialised(instance)
        stored = [entry.message for entry in instance.all_logs(run.run_id)]
    plain = SqliteEventLogStorage(str(home / "history" / "runs"))
    assert [entry.message for entry in plain.get_logs_for_run(run.run_id)] == stored
    assert [key.to_user_string() for key in plain.all_asset_keys()] == ["spend"]


@pytest.mark.usefixtures("home")
def test_every_announcement_of_a_batch_is_stored_once() -> None:
    with dg.DagsterInstance.get() as instance:
        run = materialised(instance)
        kinds = [entry.dagster_event_type for entry in instance.all_logs(run.run_id)]
    planned = (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)
    assert [kinds.count(kind) for kind in planned] == [1, 1]


@pytest.mark.usefixtures("home")
def test_a_batch_that_fails_leaves_nothing_and_is_written_one_by_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with dg.DagsterInstance.get() as instance:
        kept = type(instance.event_log_storage).store_asset_check_event
        failures = iter([OSError("the disk is full")])

        def fails_once(*arguments: object) -> None:
            for failure in failures:
                raise failure
            kept(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(type(instance.event_log_storage), "store_asset_check_event", fails_once)
        run = materialised(instance)
        kinds = [entry.dagster_event_type for entry in instance.all_logs(run.run_id)]
    assert run.success
    assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == 1
    assert "the disk is full" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_only_the_index_and_the_last_run_stay_open() -> None:
    with dg.DagsterInstance.get() as instance:
        runs = [materialised(instance).run_id for _ in range(3)]
        engines = instance.event_log_storage._engines  # type: ignore[attr-defined]
        assert set(engines) == {"index", runs[-1]}
        assert all(instance.all_logs(run) for run in runs)
