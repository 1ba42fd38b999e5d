"""All other runs as the experiment tracker exports them: one CSV per month in which they ended."""

from __future__ import annotations

import zlib
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from warehouse.sample.archive import put, text_of
from warehouse.sample.bill_rows import month_of
from warehouse.sample.company import Company, Run, chip_of

CLUSTERS: Final = {"train-h100": "tarn-a", "lab-a100": "lab"}
WORDS: Final = {
    "finished": "COMPLETED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "timeout": "TIMEOUT",
    "running": "RUNNING",
}
COLUMNS: Final = {
    "run_id": "id",
    "run_name": "name",
    "project": "project",
    "cluster": "cluster",
    "gpu_model": "gpu",
    "gpu_count": "gpus",
    "started_at": "created",
    "ended_at": "finished",
    "status": "state",
    "tokens": "tokens_seen",
    "params": "parameters",
    "final_loss": "loss",
}


def write_tracker(inbox: Path, company: Company) -> None:
    """Runs without an MLPerf log, each in the file of the month it ended in, the running ones in the last."""
    runs = sorted((run for run in company.runs if run.log == "table"), key=lambda run: (run.end, run.name))
    for month, ended in groupby(runs, key=lambda run: month_of(min(run.end, company.end))):
        rows = [_row(run) for run in ended]
        put(inbox / "tracker" / f"runs_{month}.csv", text_of(tuple(COLUMNS.values()), rows))


def _row(run: Run) -> dict[str, object]:
    values = {
        "run_id": f"r{zlib.crc32(run.name.encode()):08x}",
        "run_name": run.name,
        "project": run.project,
        "cluster": CLUSTERS[run.pool_id],
        "gpu_model": chip_of(run),
        "gpu_count": run.gpus,
        "started_at": _stamp(run.start),
        "ended_at": "" if run.status == "running" else _stamp(run.end),
        "status": WORDS[run.status],
        "tokens": "" if run.tokens is None else round(run.tokens),
        "params": "" if run.params is None else round(run.params),
        "final_loss": "" if run.loss is None else run.loss,
    }
    return {COLUMNS[name]: value for name, value in values.items()}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
