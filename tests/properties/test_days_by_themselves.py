"""What a night computes day by day, only where something changed, is what it would compute at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from polars.testing import assert_frame_equal

from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend
from transforms.economics.spend.service import daily_service, production_units, served_days, task_days
from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.spend.waste import run_spend
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.accruals import accruals
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.token_usage import token_usage
from warehouse import tables
from warehouse.connection import Limits, connect
from warehouse.incremental import plan
from warehouse.incremental.fingerprints import is_sliced
from warehouse.schemas import CATALOGUE

FLOW: Final[tuple[Callable[..., pl.DataFrame], ...]] = (
    charges, delivered_days, token_usage, charge_rules, billed_days, billed_hours, pool_uses, deployment_shares,
    postings, booked_days, daily_spend, monthly_spend, idle_shares, shared_shares, run_spend, model_spend,
    company_spend, served_days, task_days, production_units, daily_service, estimate_days, demand_states,
)  # fmt: skip
READ: Final = {
    "readings",  # how a file is read is a part of what a day of its bill is made of
    *(name for function in FLOW for name in inspect.signature(function).parameters),
} - {function.__name__ for function in FLOW}
FIRST = datetime(2026, 10, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PERIODS = (date(2026, 10, 1), date(2026, 11, 1))

hours = st.integers(0, 24 * 5)
lengths = st.sampled_from([HOUR / 2, HOUR, 3 * HOUR, DAY, 2 * DAY])
bill_rows = st.lists(st.tuples(hours, lengths, st.integers(-50, 5000), st.sampled_from(["p", "d", "m"])), max_size=4)


def rows_of(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


@contextmanager
def at_once(rows: int) -> Iterator[None]:
    kept = plan.ROWS_AT_ONCE
    plan.ROWS_AT_ONCE = rows  # type: ignore[misc]
    try:
        yield
    finally:
        plan.ROWS_AT_ONCE = kept  # type: ignore[misc]


def renewed(connection: duckdb.DuckDBPyConnection, night: date, portion: int) -> int:
    """One night, day by day where a table has days; how many days were computed."""
    days = plan.Slices(connection, str, night)
    with at_once(portion):
        return sum(_computed(connection, days, function) for function in FLOW)


def _computed(connection: duckdb.DuckDBPyConnection, days: plan.Slices, function: Callable[..., pl.DataFrame]) -> int:
    table = CATALOGUE[function.__name__]
    if is_sliced(table):
        return len(days.renew(function).computed)
    names = inspect.signature(function).parameters
    tables.write(connection, table, function(**{name: tables.read(connection, CATALOGUE[name]) for name in names}))
    return 0


class Changes(RuleBasedStateMachine):
    """Bills, runs, requests and policy that come, change and go in any order, and nights that go on or back."""

    @initialize(portion=st.sampled_from([2, 1000]))
    def begin(self, portion: int) -> None:
        """A warehouse with a policy and a bill."""
        self.folder = TemporaryDirectory()
        self.connection = connect(Path(self.folder.name), Limits(threads=1))
        self.portion = portion
        self.night = FIRST + 3 * DAY
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in CATALOGUE}
        kinds = (("p", "pool", "p", None), ("d", "deployment", "d", None), ("m", "model", "m", "inference"))
        self.rows["attribution"] = [
            {"position": n, "line": n + 2, "source": "*", "field": "resource_id", "pattern": name, "target": target,
             "target_id": target_id, "phase": phase} for n, (name, target, target_id, phase) in enumerate(kinds)
        ]  # fmt: skip
        self.rows["models"] = [{"model_id": name, "aliases": [], "origin": "own"} for name in ("m", "n")]
        self.deploy(4.0, None)
        self.deliver([(20 * n, 3 * HOUR, 100, kind) for n, kind in enumerate("pdmppdm")], PERIODS[1])

    def teardown(self) -> None:
        """Close the warehouse."""
        self.connection.close()
        self.folder.cleanup()

    @rule(rows=bill_rows, period=st.sampled_from(PERIODS))
    def deliver(self, rows: list[Any], period: date) -> None:
        """A file of a bill, possibly of a day after the night."""
        file = f"f{len(self.rows['files'])}"
        unit = {"source": "cloud", "billing_account_id": "", "billing_period_start": period, "file_sha256": file}
        self.rows["bill_deliveries"].append({**unit, "is_current": True})
        self.rows["files"].append({"source": "cloud", "file": file, "sha256": file, "first_seen_at": self.night})
        self.rows["readings"].append({"source": "cloud", "file_sha256": file, "reader_digest": "r"})
        self.rows["charge_rows"] += [
            {**unit, "billing_account_id": None, "billing_period_end": period + 31 * DAY, "location": f"line {n}",
             "content_hash": f"{file}{n}", "dimension_hash": f"{start}{kind}".ljust(24, "0"), "tags": "{}",
             "charge_start": FIRST + start * HOUR, "charge_end": FIRST + start * HOUR + length,
             "charge_category": "Usage", "currency": "EUR" if kind == "m" else "USD",
             "billed_cost": Decimal(cost).scaleb(-12), "effective_cost": Decimal(cost).scaleb(-12), "resource_id": kind,
              "gpu_model": "H100", "gpu_hours": 8.0}
            for n, (start, length, cost, kind) in enumerate(rows)
        ]  # fmt: skip

    @rule(place=st.integers(0, 5))
    def replace_or_bring_back(self, place: int) -> None:
        """A delivery stops counting, or counts again."""
        units = self.rows["bill_deliveries"]
        units[place % len(units)]["is_current"] ^= True

    @rule(start=hours, length=lengths, is_failed=st.booleans())
    def log(self, start: int, length: timedelta, is_failed: bool) -> None:  # noqa: FBT001 - drawn, not chosen
        """A run of the pool, late or not."""
        name = f"r{len(self.rows['training_runs'])}"
        run = {
            "run_id": name,
            "source": "logs",
            "hosts": [],
            "end_source": "logged",
            "attempts": 1,
            "status": "failed" if is_failed else "finished",
            "gpu_count": 3.0,
            "held_from": FIRST + start * HOUR,
            "held_to": FIRST + start * HOUR + length,
            "pool_id": "p",
            "model_id": "m",
            "phase": "pretraining",
        }
        attempt = {
            "attempt": 1,
            "logged_run_id": name,
            "is_leading": True,
            "is_job": False,
            "contested_gpu_seconds": 0.0,
        }
        self.rows["training_runs"].append(run)
        self.rows["run_attempts"].append(run | attempt)  # fmt: skip

    @rule(start=hours, length=lengths)
    def measure(self, start: int, length: timedelta) -> None:
        """A workload of the pool."""
        self.rows["workload_uses"].append(
            {"source": "cluster", "workload": f"w{len(self.rows['workload_uses'])}", "started_at": FIRST + start * HOUR,
             "ended_at": FIRST + start * HOUR + length, "gpu_hours": Decimal("2.5"), "pool_id": "p", "model_id": "n",
             "phase": "inference"}
        )  # fmt: skip

    @rule(start=hours, tokens=st.integers(0, 900), model=st.sampled_from(["m", "n"]))
    def serve(self, start: int, tokens: int, model: str) -> None:
        """Requests of an hour."""
        hour = FIRST + start * HOUR
        counts = dict.fromkeys(("requests_with_usage", "cached_input_tokens", "output_tokens", "duration_us"), 0)
        self.rows["request_hours"].append(
            {"day": hour.date(), "hour": hour, "part_start": hour, "source": "gateway", "model": model,
             "deployment": "d", "status": "ok", "requests": 1, "input_tokens": tokens, "units": 0.0, **counts}
        )  # fmt: skip

    @rule(gpus=st.sampled_from([1.0, 4.0]), since=st.sampled_from([None, FIRST, FIRST + DAY + HOUR / 2]))
    def deploy(self, gpus: float, since: datetime | None) -> None:
        """The deployment with both models, from some moment on."""
        both = [{"line": n + 2, "deployment_id": "d", "model_id": name, "pool_id": "p", "gpu_count": gpus,
                 "valid_from": since} for n, name in enumerate(("m", "n"))]  # fmt: skip
        self.rows["deployments"] = both

    @rule(usd=st.integers(1, 9), since=st.integers(0, 4))
    def own(self, usd: int, since: int) -> None:
        """GPUs of another pool without a bill."""
        self.rows["pools"] = [{"pool_id": "own", "gpu_model": "H100", "gpu_count": 2.0}]
        day = (FIRST + since * DAY).date()
        self.rows["rates"] = [{"pool_id": "own", "usd_per_gpu_hour": Decimal(usd), "valid_from": day}]

    @rule(month=st.sampled_from(PERIODS), rate=st.integers(1, 3))
    def exchange(self, month: date, rate: int) -> None:
        """The rate of a month in which some of the bill is in euros."""
        others = [row for row in self.rows["fx"] if row["month"] != month]
        self.rows["fx"] = [*others, {"month": month, "currency": "EUR", "rate": Decimal(rate)}]

    @rule(days=st.integers(-2, 3))
    def go(self, days: int) -> None:
        """To a later night, or back to an earlier one."""
        self.night += days * DAY

    @invariant()
    def the_days_add_up_to_the_whole(self) -> None:
        """Every daily table is what it would be if computed at once; computing again computes nothing."""
        end = self.night + DAY
        self.rows["settings"] = [{"as_of": self.night.date(), "night_end": end, "currency": "USD", "built_at": end}]
        frames = {name: rows_of(name, rows) for name, rows in self.rows.items()}
        frames["accruals"] = accruals(frames["rates"], frames["pools"], frames["settings"])
        for name in READ:
            self._put(CATALOGUE[name].qualified(), frames[name])
        renewed(self.connection, self.night.date(), self.portion)
        assert renewed(self.connection, self.night.date(), self.portion) == 0
        for function in FLOW:
            names = inspect.signature(function).parameters
            whole = frames[function.__name__] = function(**{name: frames[name] for name in names})
            stored = tables.read(self.connection, CATALOGUE[function.__name__])
            assert_frame_equal(stored.sort(pl.all()), whole.sort(pl.all()), check_exact=True)

    def _put(self, name: str, rows: pl.DataFrame) -> None:
        self.connection.execute(f"DROP TABLE {name}")
        self.connection.register("rows", rows.to_arrow())
        self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
        self.connection.unregister("rows")


class TestDaysByThemselves(Changes.TestCase):  # type: ignore[misc]
    """Random changes."""

    settings = settings(max_examples=6, stateful_step_count=8, suppress_health_check=list(HealthCheck))
