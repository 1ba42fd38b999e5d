"""The same ledger bytes whatever the machine: threads and time zone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

START = datetime(2026, 10, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOT = Path(__file__).parents[2]
CHILD = """
import hashlib, sys, pathlib, polars as pl
from transforms.ledger.postings import postings
folder = pathlib.Path(sys.argv[1])
names = ("charges", "charge_rules", "pool_uses", "deployment_shares", "training_runs")
lines = postings(*(pl.read_parquet(folder / f"{name}.parquet") for name in names))
print(lines.height, hashlib.sha256(lines.write_csv().encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def inputs(books: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bill of 3,000 charges over the change of the clocks, with runs and a deployment, as files."""
    charges = [
        {"charge_id": f"c{number}", "charge_start": START + number % 97 * HOUR / 2,
         "charge_end": START + number % 97 * HOUR / 2 + number % 5 * HOUR, "resource_id": "n",
         "billed_cost": f"{number % 53}.{number}", "gpu_hours": str(number % 9)}
        for number in range(3_000)
    ]  # fmt: skip
    runs = [
        {"run_id": f"r{number}", "pool_id": "p", "gpu_count": 3.5, "held_from": START + number * HOUR / 3,
         "held_to": START + number * HOUR, "status": "finished", "model_id": f"m{number % 7}", "phase": "pretraining"}
        for number in range(40)
    ]  # fmt: skip
    serving = [
        {"deployment_id": "d", "model_id": f"m{number}", "pool_id": "p", "gpu_count": 2.0} for number in range(3)
    ]
    rule = {"field": "resource_id", "pattern": "n", "target": "pool", "target_id": "p"}
    folder = tmp_path_factory.mktemp("inputs")
    night = books(charges=charges, rules=[rule], runs=runs, deployments=serving, night_end=START + 60 * HOUR).tables()
    for name, rows in night.items():
        rows.write_parquet(folder / f"{name}.parquet")
    return folder


def digest(inputs: Path, **environment: str) -> str:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(inputs)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return child.stdout


def test_threads_and_time_zone_of_the_machine_leave_every_byte_as_it_is(inputs: Path) -> None:
    digests = {
        digest(inputs, POLARS_MAX_THREADS=threads, TZ=zone)
        for threads, zone in (("1", "UTC"), ("2", "Asia/Kathmandu"), ("7", "America/New_York"))
    }

    assert len(digests) == 1
    assert int(digests.pop().split()[0]) > 10_000
