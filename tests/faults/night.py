"""Nights without Dagster and without drawing, so that hundreds of them can be made to fail.

    python night.py PROJECT NIGHT [durable | whole | dagster]
    python night.py serve

`durable` is the part that writes: land, reduce, a few exports, publish, prune. `whole` is every table, check and export
of a night; only the PDF is a few fixed bytes. `dagster` is the same as the command runs it, with Dagster and its store.
All run under the shim, and what they publish is a function of the inbox alone.

`serve` loads the libraries once and runs each night that a line of stdin asks for in a fork of itself; a line is JSON
(`project, night, form, environment`). A line of the answer is an exit code. What reads the inbox is one child for all.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg

from orchestration import publication
from orchestration.assets import ASSETS
from orchestration.definitions import build
from orchestration.nights import run_night
from orchestration.resources import PARTITION, Warehouse
from orchestration.retention import pruned
from orchestration.run_lock import sole_run
from orchestration.settings import load
from transforms.staging import request_hours
from warehouse import exports, publish, retention, tables
from warehouse.connection import connect
from warehouse.errors import HeldError
from warehouse.landing import landing
from warehouse.landing.requests.daily_reduction import refresh_request_hours
from warehouse.landing.requests.landed_files import landed_requests
from warehouse.manifest import INPUT_COLUMNS
from warehouse.schemas.raw import ChargeRows, Files, RequestHours

PDF = b"%PDF-1.7\n%%EOF\n"
"""Stands for the report that a child draws: it is written and published like any other file."""


def durable(root: Path, night: date) -> None:
    """The part of a night that writes, but for the tables that are computed."""
    project = load(root)
    end = datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1)
    with sole_run(project.var), closing(connect(project.var, project.settings.machine())) as connection:
        publish.point_to_newest(project.published)
        landing.land(project.workspace, project.settings.sources(), connection, night, end.date())
        refresh_request_hours(connection, landed_requests(connection, project.var), request_hours, [], end)
        files = {}
        for table in (ChargeRows, Files, RequestHours):
            rows = tables.read(connection, table)
            kept = INPUT_COLUMNS if table is Files else [name for name in rows.columns if name != "known_at"]
            files[f"{table.table_name}.csv"] = exports.csv(rows.select(kept), kept)
        outputs = [{"file": name, "sha256": sha256(content).hexdigest()} for name, content in sorted(files.items())]
        if not publish.is_intact(publish.directory(project.published, night, 1)):
            files["manifest.json"] = exports.document({"night": str(night), "outputs": outputs, "inputs": []})
            publish.publish(project.published, night, 1, files)
        retention.remove(connection, retention.outdated(project.var, connection, 24, end))


def whole(root: Path, night: date, now: datetime | None = None) -> None:
    """Every asset of a night in its order, each by its own function; `now` is the clock, else three hours after it.

    Raises:
        HeldError: where a check is red.
    """
    project = load(root)
    now = now or datetime(night.year, night.month, night.day, 3, tzinfo=UTC) + timedelta(days=1)
    run: Any = SimpleNamespace(run=SimpleNamespace(tags={PARTITION: night.isoformat()}))
    vars(publication)["draw"] = lambda *_: PDF
    with sole_run(project.var):
        publish.point_to_newest(project.published)
        with Warehouse(root=str(root), now=now.isoformat()).yield_for_execution(run) as warehouse:
            for asset in ASSETS:
                if asset is not pruned:  # it prunes Dagster's store as well
                    _made(asset, warehouse, night)
            months = project.settings.retention.published_months
            gone = retention.outdated(project.var, warehouse.connection, months, now)
            retention.remove(warehouse.connection, gone)


def _made(asset: dg.AssetsDefinition, warehouse: Warehouse, night: date) -> None:
    context = SimpleNamespace(
        partition_key=night.isoformat(),
        selected_asset_keys=asset.keys,
        selected_asset_check_keys=asset.check_keys,
    )
    function: Any = cast("Any", asset.op.compute_fn).decorated_fn
    known = {"context": context, "warehouse": warehouse}
    results = function(**{name: known[name] for name in inspect.signature(function).parameters})
    for result in results if isinstance(results, Iterator) else ():
        if isinstance(result, dg.AssetCheckResult) and not result.passed:
            raise HeldError(f"held: {result.check_name} is red")


def dagster(root: Path, night: date) -> None:
    """A night as the command runs it, but for the drawing."""
    project, now = load(root), datetime(night.year, night.month, night.day, 3, tzinfo=UTC) + timedelta(days=1)
    vars(publication)["draw"] = lambda *_: PDF
    with sole_run(project.var):
        publish.point_to_newest(project.published)
        run_night(build(root, now), project, night, now)


FORMS = {"durable": durable, "whole": whole, "dagster": dagster}


def serve() -> None:
    """Run the nights that stdin asks for, each in a fork."""
    for line in sys.stdin:
        asked = json.loads(line)
        if not _is_running(landing.READER.pid):
            landing.READER.stop()
            landing.READER.await_start()
        child = os.fork()
        if not child:
            os.environ.update(asked["environment"])
            try:
                FORMS[asked["form"]](Path(asked["project"]), date.fromisoformat(asked["night"]))
            except BaseException:  # noqa: BLE001 - the fork ends here, whatever it was
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _is_running(pid: int | None) -> bool:
    try:
        return pid is not None and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        FORMS[(*sys.argv, "durable")[3]](Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
