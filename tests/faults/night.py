"""The durable part of a night without Dagster and without drawing: land, reduce, write tables, publish, prune.

    python night.py PROJECT NIGHT

Runs under the shim; what it publishes is a function of the inbox alone.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from orchestration.run_lock import sole_run
from orchestration.settings import load
from transforms.staging import request_hours
from warehouse import exports, publish, retention, tables
from warehouse.connection import connect
from warehouse.landing import landing
from warehouse.landing.requests.daily_reduction import refresh_request_hours
from warehouse.landing.requests.landed_files import landed_requests
from warehouse.manifest import INPUT_COLUMNS
from warehouse.schemas.raw import ChargeRows, Files, RequestHours


def main(root: Path, night: date) -> None:
    """One night."""
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
