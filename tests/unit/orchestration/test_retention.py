"""The runs of the last nights stay in Dagster's store, older ones go with all their files."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.dagster_store import dagster_home
from orchestration.retention import forget_runs, old_runs
from orchestration.settings import DagsterSection
from orchestration.table_assets import NIGHTS


@dg.asset(partitions_def=NIGHTS)
def spend() -> None:
    """A table."""


def test_runs_of_older_nights_go_with_their_events_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(variable, "")
    runs = dagster_home(tmp_path, DagsterSection()) / "history" / "runs"
    with dg.DagsterInstance.get() as instance:
        nights = ("2026-11-01", "2026-11-02", "2026-11-03", "2026-11-02")
        ran = [dg.materialize([spend], instance=instance, partition_key=night).run_id for night in nights]

        assert old_runs(instance, 2) == [ran[0]]
        forget_runs(instance, tmp_path, old_runs(instance, 2))

        assert old_runs(instance, 2) == []
        assert {record.dagster_run.run_id for record in instance.get_run_records()} == set(ran[1:])
        assert {path.name.partition(".")[0] for path in runs.iterdir()} == {"index", *ran[1:]}
        assert instance.all_logs(ran[1])
