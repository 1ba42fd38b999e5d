"""The one Definitions: what `trisect run` runs and `trisect ui` shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import dagster as dg

from orchestration.assets import ASSETS
from orchestration.notify.assets import failure_told
from orchestration.resources import Warehouse
from orchestration.schedules import nightly
from orchestration.settings import project_directory


def build(root: Path, now: datetime | None = None) -> dg.Definitions:
    """The definitions for the project at `root`; `now` is the clock of its runs."""
    return dg.Definitions(
        assets=ASSETS,
        jobs=[
            dg.define_asset_job(
                "night",
                selection=dg.AssetSelection.all(),
                tags={"dagster/max_runtime": "14400"},
                hooks={failure_told},
            )
        ],
        schedules=[nightly],
        resources={"warehouse": Warehouse(root=str(root), now=now.isoformat() if now else "")},
        executor=dg.in_process_executor,
    )


defs = build(project_directory())
