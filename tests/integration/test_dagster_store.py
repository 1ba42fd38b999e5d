"""Dagster's runs lie below var/dagster or in a PostgreSQL, and a store that cannot be had is named with what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from orchestration.dagster_store import StoreError, dagster_home, dagster_instance
from orchestration.retention import forget_runs, old_runs
from orchestration.settings import DagsterSection, SettingsError
from orchestration.table_assets import NIGHTS

# Each release of dagster-postgres names one release of Dagster, and warns of any other.
pytestmark = pytest.mark.filterwarnings("ignore:Found version mismatch:UserWarning")

NAMED = DagsterSection(url_variable="TRISECT_TEST_STORE")


@dg.asset(partitions_def=NIGHTS)
def spend() -> None:
    """A table."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a store sets in the environment is undone."""
    for variable in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE", NAMED.url_variable):
        monkeypatch.setenv(variable, "")


def test_runs_are_kept_and_pruned_in_postgresql_and_nothing_below_var(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAMED.url_variable, database)
    with dagster_instance(tmp_path, NAMED) as instance:
        ran = [
            dg.materialize([spend], instance=instance, partition_key=night).run_id
            for night in ("2026-11-01", "2026-11-02")
        ]
        forget_runs(instance, tmp_path, old_runs(instance, 1))

    with dagster_instance(tmp_path, NAMED) as instance:
        assert [record.dagster_run.run_id for record in instance.get_run_records()] == ran[1:]
        assert instance.all_logs(ran[1])
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT run_id FROM runs").fetchall() == [(ran[1],)]
    assert not list(tmp_path.rglob("*.db"))
    assert "postgresql://" not in (tmp_path / "dagster" / "dagster.yaml").read_text()


def test_a_server_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAMED.url_variable, "postgresql://trisect:secret@127.0.0.1:1/runs")
    with pytest.raises(StoreError) as error, dagster_instance(tmp_path, NAMED):
        pass
    assert "127.0.0.1:1/runs" in str(error.value)
    assert "TRISECT_TEST_STORE" in str(error.value)
    assert "secret" not in str(error.value)


def test_an_address_that_is_not_in_the_environment_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="export TRISECT_TEST_STORE=postgresql://"):
        dagster_home(tmp_path, NAMED)


def test_a_dagster_whose_private_parts_have_moved_keeps_its_own_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The faster event log is left out, and a run is stored and found again all the same."""
    monkeypatch.setitem(sys.modules, "orchestration.event_log", None)  # as when one of its imports is gone
    with dagster_instance(tmp_path, DagsterSection()) as instance:
        run = dg.materialize([spend], instance=instance, partition_key="2026-11-01").run_id
        assert instance.all_logs(run)
        assert type(instance.event_log_storage).__module__.startswith("dagster.")
    assert "orchestration.event_log" not in (tmp_path / "dagster" / "dagster.yaml").read_text()
