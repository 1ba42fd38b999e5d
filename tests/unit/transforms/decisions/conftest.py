"""A small company whose numbers can be worked out by hand."""

from __future__ import annotations

import datetime as dt
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.decisions.demand.positions import positions
from transforms.decisions.demand.task_shares import task_shares
from transforms.decisions.law.iso_loss import iso_loss
from transforms.decisions.law.law_points import law_points
from transforms.decisions.law.lifetime_optimum import lifetime_optimum
from transforms.decisions.law.scaling_law import law_draws, scaling_law
from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.portfolio.cash_curves import cash_curves, recommended_totals
from transforms.decisions.portfolio.portfolio_selection import portfolio
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.portfolio.track_record import track_record
from transforms.decisions.runs.run_forecasts import run_forecasts
from transforms.decisions.supply.gpu_demand import gpu_demand
from transforms.decisions.supply.pool_states import pool_states
from transforms.decisions.supply.pool_users import pool_users
from transforms.decisions.supply.serving_states import serving_states
from transforms.decisions.supply.supply import supply
from transforms.economics.spend.service import task_days
from warehouse.schemas import CATALOGUE

NIGHT = dt.date(2026, 11, 21)
P90 = 1.2815515655446004
_DEFAULTS: Mapping[type, Any] = {pl.String: "", pl.Boolean: False, pl.Date: NIGHT}

STEPS: Sequence[Callable[..., pl.DataFrame]] = (
    law_points,
    law_draws,
    scaling_law,
    pool_states,
    serving_states,
    supply,
    pool_users,
    positions,
    task_days,
    task_shares,
    gpu_demand,
    candidates,
    portfolio,
    recommendations,
    lifetime_optimum,
    iso_loss,
    cash_curves,
    recommended_totals,
    run_forecasts,
    track_record,
)
TableOf = Callable[[str, Sequence[Mapping[str, Any]]], pl.DataFrame]


def _default(name: str, table: str) -> object:
    column = CATALOGUE[table].columns()[name]
    if column.is_nullable:
        return None
    if column.allowed:
        return column.allowed[0]
    if isinstance(column.dtype, pl.List):
        return []
    if isinstance(column.dtype, pl.Datetime):
        return dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    return _DEFAULTS.get(type(column.dtype), 0)


def rows_of(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows as the table, with nulls and zeros where a test says nothing."""
    names = CATALOGUE[table].columns()
    full = [{name: row.get(name, _default(name, table)) for name in names} for row in rows]
    return pl.DataFrame(full, schema=CATALOGUE[table].polars_schema(), strict=False)


@pytest.fixture
def table_of() -> TableOf:
    return rows_of


@dataclass
class Company:
    """The tables that decisions read, grown by the tests line by line."""

    settings: Mapping[str, Any] = field(
        default_factory=lambda: {
            "as_of": NIGHT,
            "night_end": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
            "law": "auto",
            "draws": 400,
            "materiality_usd": Decimal(1000),
            "evaluation_usd": Decimal(50000),
            "migration_usd": Decimal(20000),
            "dead_band_ratio": 0.1,
            "discount_ratio": 0.1,
            "quality_gate_ratio": 0.97,
        }
    )
    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **row: object) -> Company:
        """One more row of a table."""
        self.rows.setdefault(table, []).append(row)
        return self

    def serve(self, model_id: str, tokens_a_day: float, days: int, task: str | None = None) -> Company:
        """Telemetry of so many days up to the night, the same each day, billed to the model at its used price."""
        counts = {"input_tokens": int(tokens_a_day), "requests": 1000}
        for back in range(days):
            day = NIGHT - dt.timedelta(days=back)
            hour = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
            weight = {"weighted_tokens_milli": int(tokens_a_day) * 1000, "status": "ok"}
            self.add("token_usage", hour=hour, model_id=model_id, task=task, **weight, **counts)
            self.add("daily_service", day=day, model_id=model_id, inference_usd=Decimal(0), **counts)
            for row in self.rows.get("unit_costs", []):
                if row["model_id"] == model_id and row["used_usd_per_mtok"]:
                    self.bill(day, Decimal(int(tokens_a_day)) * row["used_usd_per_mtok"] / 10**6, model_id=model_id)
        return self

    def bill(self, day: dt.date, usd: Decimal, **charge: object) -> Company:
        """A charge of serving on one day."""
        return self.add(
            "billed_days", charge_day=day, charge_category="Usage", phase="inference", effective_cost=usd, **charge
        )

    def expect(self, model_id: str, tokens_a_day: float, days: int, spread: float = 0.1) -> Company:
        """A forecast: level for so many days, its logarithm with a standard deviation of `spread`."""
        key = {"known_on": NIGHT + dt.timedelta(days=1), "model_id": model_id, "quantity": "tokens"}
        self.add("demand_states", **key, method="smoothing", level=tokens_a_day, trend=0.0)
        total, factor = tokens_a_day * days, math.exp(P90 * spread)
        bounds = {"expected_p10": total / factor, "expected_p50": total, "expected_p90": total * factor}
        end = NIGHT + dt.timedelta(days=days)
        self.add("model_lives", model_id=model_id, ends_on=end, basis="retires_on")
        return self.add("expected_service", **key, method="smoothing", days=days, ends_on=end, **bounds)

    def table(self, name: str) -> pl.DataFrame:
        """One table by name, empty where nothing was added."""
        return rows_of(name, [self.settings] if name == "settings" else self.rows.get(name, []))

    def decide(self, wanted: str = "recommendations") -> pl.DataFrame:
        """One table of decisions, with every other that it needs computed before it."""
        return self.tables()[wanted]

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table of decisions, and those it is computed from."""
        given = ("settings", "models", "workloads", "deployments")
        computed = {name: self.table(name) for name in given}
        for function in STEPS:
            names = inspect.signature(function).parameters
            tables = {name: computed[name] if name in computed else self.table(name) for name in names}
            computed[function.__name__] = function(**tables)
        return computed


@pytest.fixture
def company() -> Company:
    """A teacher at 10 dollars and a student at 2 dollars a million tokens, both serving one more year."""
    made = Company()
    for model_id, price, params in (("teacher", "10", 70e9), ("student", "2", 8e9)):
        made.add("models", model_id=model_id, params=params, origin="own", family=model_id)
        month = {"month": dt.date(2026, 10, 1), "model_id": model_id, "input_tokens": 10**9}
        made.add("unit_costs", **month, used_usd_per_mtok=Decimal(price), allocated_usd_per_mtok=Decimal(price))
    return made.serve("student", 1e9, 30).expect("student", 1e9, 365)


@pytest.fixture
def outgrown() -> Company:
    """A 70B on 1.4 trillion tokens whose serving has outgrown its training: 4e11 tokens a day for two years.

    Serving costs 1.4 dollars a million tokens, 1e-17 dollars a FLOP; training 2e-18 dollars a FLOP.
    """
    price = Decimal("1.4")
    made = Company().add("models", model_id="large", params=70e9, training_tokens=1.4e12, origin="own", family="a")
    made.add(
        "unit_costs",
        month=dt.date(2026, 10, 1),
        model_id="large",
        input_tokens=10**12,
        used_usd_per_mtok=price,
        allocated_usd_per_mtok=price,
    )
    made.add("phase_compute", model_id="large", phase="pretraining", compute_flop=6e23, usd_per_flop=2e-18)
    made.add("thirds", model_id="large", projected_penalty_ratio_p50=0.5, status="inference_heavy")
    return made.serve("large", 4e11, 30).expect("large", 4e11, 730)
