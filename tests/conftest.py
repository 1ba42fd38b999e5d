"""Fixtures that every kind of test may use."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import settings

from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.spend.service import production_units
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from warehouse.schemas import CATALOGUE

LEDGER = (charge_rules, billed_days, billed_hours, pool_uses, deployment_shares, postings, booked_days)
ROOT = Path(__file__).parent.parent

# The same examples on every run, so that a red run says something about the change; `make explore` draws new ones.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public data, scenarios and corpus beside the checkout; tests that need it are skipped without."""
    folder = Path(os.environ.get("TRISECT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared data is not beside the checkout")
    return folder


@dataclass
class Books:
    """What the ledger reads, written by a test row by row; columns that a test leaves out are null."""

    charges: list[Mapping[str, Any]] = field(default_factory=list)
    rules: list[Mapping[str, Any]] = field(default_factory=list)
    runs: list[Mapping[str, Any]] = field(default_factory=list)
    workloads: list[Mapping[str, Any]] = field(default_factory=list)
    deployments: list[Mapping[str, Any]] = field(default_factory=list)
    usage: list[Mapping[str, Any]] = field(default_factory=list)
    pools: list[Mapping[str, Any]] = field(default_factory=list)
    night_end: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def tables(self, shuffle: int | None = None) -> dict[str, pl.DataFrame]:
        """Every table of the ledger computed from the rows, in the order given or in a shuffled one."""
        written = {
            "charges": [_charge(row) for row in self.charges],
            "attribution": [
                {"position": number, "line": number + 2, "priority": 1, "source": "*", **row}
                for number, row in enumerate(self.rules)
            ],
            "training_runs": self.runs,
            "run_attempts": self.runs,
            "workload_uses": self.workloads,
            "deployments": [{"line": number + 2, **row} for number, row in enumerate(self.deployments)],
            "token_usage": self.usage,
            "pools": self.pools,
            "settings": [{"night_end": self.night_end, "as_of": (self.night_end - timedelta(days=1)).date()}],
        }
        frames = {name: table_rows(name, rows) for name, rows in written.items()}
        if shuffle is not None:
            frames = {name: rows.sample(fraction=1, shuffle=True, seed=shuffle) for name, rows in frames.items()}
        for function in LEDGER:
            arguments = {name: frames[name] for name in inspect.signature(function).parameters}
            frames[function.__name__] = function(**arguments)
        return frames


def table_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a table in its types, absent columns null."""
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def _charge(row: Mapping[str, Any]) -> dict[str, Any]:
    start = row["charge_start"]
    billed = row.get("billed_cost", "0")
    return {
        "source": "cloud",
        "charge_day": start.date(),
        "billing_period_start": start.date().replace(day=1),
        "charge_category": "Usage",
        "tags": "{}",
        "currency": "USD",
        "known_at": start,
        **row,
        "billed_cost": Decimal(billed),
        "effective_cost": Decimal(row.get("effective_cost", billed)),
        "gpu_hours_exact": Decimal(row.get("gpu_hours", "0")),
        "gpu_hours": float(row.get("gpu_hours", "0")),
    }


@pytest.fixture(scope="session")
def books() -> type[Books]:
    """The books of a night, to be filled by the test."""
    return Books


@pytest.fixture(scope="session")
def states_of() -> Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], pl.DataFrame]:
    """The states of demand of every day on which estimates are made, from daily service and daily spend alone."""

    def known(daily_service: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
        months = daily_spend.select(month=pl.col("charge_date").dt.truncate("1mo"))
        days = estimate_days(daily_service, months, months, settings)
        return demand_states(days, daily_service, production_units(daily_service), daily_spend)

    return known
