"""A night that Dagster's schedule runs and that is held: it is noted, and told to who asked to hear of it."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration import last_failure
from orchestration.notify.assets import failure_told
from orchestration.resources import PARTITION, Warehouse
from orchestration.sensors import RETRIED, failed_runs
from orchestration.table_assets import NIGHTS
from warehouse import outbox
from warehouse.errors import HeldError

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SETTINGS = """[company]
name = "Example AI"
[delivery]
host = "127.0.0.1"
port = 1
security = "none"
sender = "trisect@example.com"
attempts = 1
[[delivery.audience]]
name = "operations"
to = ["ops@example.com"]
nights = ["held"]
"""


@dg.asset(partitions_def=NIGHTS)
def doomed(warehouse: Warehouse) -> None:
    """A step that holds the night."""
    raise HeldError(f"held: no_space below {warehouse.project.var.name}")


@pytest.mark.parametrize(
    ("retried", "noted"), [({}, "the process of the run was ended from outside"), ({RETRIED: "true"}, "")]
)
def test_a_run_that_was_killed_is_noted_unless_dagster_runs_it_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retried: dict[str, str], noted: str
) -> None:
    (tmp_path / "trisect.toml").write_text('[company]\nname = "Example AI"\n')
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("TRISECT_PROJECT", str(tmp_path))
    event = dg.DagsterEvent("PIPELINE_FAILURE", "night", message="This run has been marked as failed from outside.")
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.DagsterRun("night", tags={PARTITION: "2026-11-21", **retried})
        context = dg.build_run_status_sensor_context("failed_runs", event, instance, run)
        failed_runs(context.for_run_failure())

    failure = last_failure.noted(tmp_path / "var")
    assert (failure.reason if failure else "").startswith(noted)
    assert (failure is None) is bool(retried)


def test_a_hook_notes_the_reason_and_writes_the_letter(tmp_path: Path) -> None:
    (tmp_path / "trisect.toml").write_text(SETTINGS)
    definitions = dg.Definitions(
        assets=[doomed],
        jobs=[dg.define_asset_job("night", selection=dg.AssetSelection.all(), hooks={failure_told})],
        resources={"warehouse": Warehouse(root=str(tmp_path), now=NOW.isoformat())},
        executor=dg.in_process_executor,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("night")
        ran = job.execute_in_process(instance=instance, partition_key="2026-11-21", raise_on_error=False)

    letter = outbox.messages(tmp_path / "var" / "delivery", date(2026, 11, 21))[0]
    assert not ran.success
    assert last_failure.noted(tmp_path / "var") == last_failure.Failure(
        date(2026, 11, 21), NOW, "held: no_space below var", is_held=True
    )
    # nobody listens on port 1, so the letter waits for the next run
    assert (letter.recipient, letter.state, letter.issue[:5]) == ("ops@example.com", "waiting", "held-")
