"""The end of a night: what is kept no longer goes, and is named."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from orchestration.publication import night
from orchestration.resources import PARTITION, STEPS, Warehouse
from orchestration.table_assets import NIGHTS, OWNERS
from warehouse import retention

FINISHED: Final = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dg.asset(
    key=["published", "retention"],
    deps=[night],
    group_name="published",
    partitions_def=NIGHTS,
    owners=OWNERS,
)
def pruned(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """What was removed after the night: old nights, landed files that nothing names, stores set aside, old runs.

    It ends the night, so that readers then get their copy of the warehouse.
    """
    project = warehouse.project
    gone = retention.outdated(
        project.var, warehouse.connection, project.settings.retention.published_months, warehouse.clock()
    )
    retention.remove(warehouse.connection, gone)
    runs = old_runs(context.instance, project.settings.retention.dagster_nights)
    forget_runs(context.instance, project.var, runs)
    removed = sentences(gone, runs)
    for sentence in removed:
        STEPS.info("published.retention: removed %s", sentence)
    warehouse.finish()
    return dg.MaterializeResult(metadata={"removed": dg.MetadataValue.text("\n".join(removed) or "nothing")})


def sentences(gone: Sequence[retention.Outdated], runs: Sequence[str]) -> list[str]:
    """What goes, one line for each kind."""
    return retention.sentences(gone) + ([f"{len(runs):,} runs of Dagster"] if runs else [])


def old_runs(instance: dg.DagsterInstance, nights: int) -> list[str]:
    """Runs that have ended, of other nights than the last that ran."""
    kept: set[str | None] = set()
    old = []
    for record in instance.get_run_records():
        partition = record.dagster_run.tags.get(PARTITION)
        if partition in kept or len(kept) < nights:
            kept.add(partition)
        elif record.dagster_run.status in FINISHED:
            old.append(record.dagster_run.run_id)
    return old


def forget_runs(instance: dg.DagsterInstance, var: Path, runs: Iterable[str]) -> None:
    """Remove runs with their events and with the files that Dagster's SQLite store keeps for each."""
    home = var / "dagster"
    for run in runs:
        instance.delete_run(run)
        for path in (home / "history" / "runs").glob(f"{run}.db*"):
            path.unlink(missing_ok=True)
        shutil.rmtree(home / "storage" / run, ignore_errors=True)
