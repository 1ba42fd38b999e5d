"""The one Definitions: what `trisect run` runs and `trisect ui` shows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg

from orchestration.assets import ASSETS
from orchestration.clock import moment
from orchestration.notify.assets import failure_told
from orchestration.resources import Warehouse
from orchestration.schedules import nightly
from orchestration.sensors import failed_runs, late_files, missing_nights
from orchestration.settings import project_directory
from orchestration.table_assets import nights_from
from warehouse import history
from warehouse.sources.casts.date_guard import EARLIEST

UNPUBLISHED: Final = timedelta(days=366)
"""How many nights the UI offers before the first is published, when nothing is known of the inbox yet."""
FIRST: Final = EARLIEST.date()
LONGEST_NIGHT_S: Final = 14_400


def build(root: Path, now: datetime | None = None, first: date = FIRST) -> dg.Definitions:
    """The definitions for the project at `root`, with the nights from `first` on; `now` is the clock of its runs."""
    nights = nights_from(first)
    return dg.Definitions(
        assets=dg.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=nights), ASSETS),
        jobs=[
            dg.define_asset_job(
                "night",
                selection=dg.AssetSelection.all(),
                description="One night whole: land the inbox, compute every table, check it, publish, tell.",
                tags={"dagster/max_runtime": str(LONGEST_NIGHT_S)},
                hooks={failure_told},
            )
        ],
        schedules=[nightly],
        sensors=[late_files, missing_nights, failed_runs],
        resources={"warehouse": Warehouse(root=str(root), now=now.isoformat() if now else "")},
        executor=dg.in_process_executor,
    )


def shown(root: Path) -> dg.Definitions:
    """The definitions with the nights that the UI offers: from the first day that the ledger knows."""
    today = moment(None).date()
    first = history.first_day(root / "var" / "published") or today - UNPUBLISHED
    return build(root, first=min(first, today - timedelta(days=1)))


defs = shown(project_directory())
