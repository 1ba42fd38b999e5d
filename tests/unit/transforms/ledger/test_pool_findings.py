"""Two sources that together claim more GPUs than a pool has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from transforms.ledger.pool_findings import pool_findings

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TO_POOL = {"field": "resource_id", "pattern": "vm", "target": "pool", "target_id": "p"}


def run(name: str, source: str, gpus: float, hosts: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"run_id": name, "source": source, "hosts": list(hosts), "end_source": "logged", "status": "finished",
            "gpu_count": gpus, "held_from": TEN, "held_to": TEN + HOUR, "pool_id": "p", "attempts": 1}  # fmt: skip


def found(books: Any, *runs: dict[str, Any], gpu_hours: str = "8") -> list[tuple[str, str, float]]:
    charge = {"charge_id": "c", "charge_start": TEN, "charge_end": TEN + HOUR, "billed_cost": "8",
              "gpu_hours": gpu_hours, "resource_id": "vm"}  # fmt: skip
    night = books(charges=[charge], rules=[TO_POOL], runs=list(runs)).tables()
    rows = pool_findings(night["pool_uses"], night["billed_hours"], night["pools"], night["training_runs"])
    hours = pl.col("gpu_seconds") / 3600
    return rows.select("source", "subject", hours).rows()


def test_what_two_sources_claim_beyond_the_pool_is_in_doubt(books: Any) -> None:
    both = (run("a", "wb", 8.0), run("b", "slurm", 8.0, ("n1",)))
    assert found(books, *both) == [("slurm", "runs of slurm in pool p", pytest.approx(8))]
    assert found(books, *both, gpu_hours="12") == [("slurm", "runs of slurm in pool p", pytest.approx(4))]


def test_a_pool_that_holds_both_is_no_doubt(books: Any) -> None:
    assert found(books, run("a", "wb", 8.0), run("b", "slurm", 8.0), gpu_hours="16") == []


def test_runs_of_one_source_that_exceed_the_pool_share_it_without_a_doubt(books: Any) -> None:
    assert found(books, run("a", "wb", 8.0), run("b", "wb", 8.0)) == []


def test_logs_that_all_name_their_hosts_are_compared_by_host(books: Any) -> None:
    assert found(books, run("a", "wb", 8.0, ("n1",)), run("b", "slurm", 8.0, ("n2",))) == []


def test_a_pool_whose_gpus_nothing_states_is_named_with_its_users(books: Any) -> None:
    # The bill brings 0 GPU-hours and policy no row: nothing can be idle, the run pays all 8 USD.
    charge = {"charge_id": "c", "charge_start": TEN, "charge_end": TEN + HOUR, "billed_cost": "8", "resource_id": "vm"}
    night = books(charges=[charge], rules=[TO_POOL], runs=[run("a", "wb", 8.0)]).tables()

    [finding] = pool_findings(
        night["pool_uses"], night["billed_hours"], night["pools"], night["training_runs"]
    ).to_dicts()

    assert (finding["kind"], finding["subject"], finding["rows"]) == ("pool_without_gpus", "p", 1)
    assert night["postings"].filter(pl.col("account") == "idle").is_empty()
