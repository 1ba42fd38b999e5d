"""Laws of the economics that hold for every company: nothing is lost, nothing counts twice, order does not matter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.economics import checks
from transforms.economics.amortization.amortization import amortization, estimate_changes
from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.amortization.training_assets import training_assets
from transforms.economics.forecast.demand_forecast import demand_forecast, parity
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.forecast.spend_outlook import spend_outlook
from transforms.economics.forecast.task_demand import task_demand
from transforms.economics.scaling.scaling_evidence import scaling_evidence, two_phase_balance
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend
from transforms.economics.spend.lifecycle_spend import lifecycle_spend
from transforms.economics.spend.lineage_shares import lineage_shares
from transforms.economics.spend.model_thirds import thirds
from transforms.economics.spend.phase_compute import phase_compute
from transforms.economics.spend.service import daily_service, production_units, served_days, task_days
from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.spend.thirds_penalty import penalty_ratio
from transforms.economics.spend.waste import goodput, run_spend, waste
from transforms.economics.unit_costs.token_kind_costs import token_costs
from transforms.economics.unit_costs.unit_costs import unit_costs
from transforms.economics.variance.budget_variances import budget_variances
from transforms.economics.variance.variance_bridge import variance_bridge
from warehouse.schemas import CATALOGUE

NIGHT = date(2025, 5, 16)
ACCOUNTS = ("direct",) * 8 + ("idle", "commitment_unused", "shared", "adjustment", "unallocated", "out_of_scope")
PHASES = ("pretraining", "posttraining", "inference")
Tables = dict[str, pl.DataFrame]

FLOW: tuple[Callable[..., pl.DataFrame], ...] = (
    daily_spend, monthly_spend, idle_shares, shared_shares, run_spend, model_spend, company_spend, served_days,
    task_days, production_units, daily_service, lineage_shares,
    phase_compute, lifecycle_spend, estimate_days, demand_states, model_lives, expected_service, thirds,
    training_assets, amortization,
    estimate_changes, parity, unit_costs, token_costs, waste, goodput, budget_variances, variance_bridge,
    demand_forecast, task_demand, spend_outlook, two_phase_balance, scaling_evidence,
)  # fmt: skip
CHECKS: tuple[Callable[..., pl.DataFrame], ...] = (
    checks.unconverted_spend, checks.days_off_the_ledger, checks.spend_off_the_ledger, checks.months_off_the_days,
    checks.torn_lineage, checks.open_roll_forwards, checks.assets_off_the_training, checks.shares_off_one,
    checks.open_bridges,
)  # fmt: skip


def called(function: Callable[..., pl.DataFrame], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    names = inspect.signature(function).parameters
    return function(**{name: tables.get(name, CATALOGUE[name].empty()) for name in names})


def computed(inputs: Tables) -> Tables:
    """Every table of the economics from a company's inputs, each one valid against its schema."""
    tables = dict(inputs)
    for function in FLOW:
        table = CATALOGUE[function.__name__]
        tables[function.__name__] = table.validation().validate(called(function, tables))
    return tables


def written(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[table].polars_schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def at(day: date) -> datetime:
    return datetime.combine(day, time(5), UTC)


def company(random: Random, days: int) -> Tables:
    """An invented company with everything that goes wrong: credits, lineages, models nobody knows, other currencies."""
    names = [f"m{number}" for number in range(random.randint(0, 5))]
    weights = {"pretraining_weight": random.choice([1.0, 3.0]), "posttraining_weight": 1.0, "inference_weight": 2.0}
    night = {"as_of": NIGHT, "currency": "USD", "dead_band_ratio": 0.1, "law": "epoch", **weights}
    return {
        "settings": pl.DataFrame([night]),
        "models": written("models", [_model(random, names, number, days) for number in range(len(names))]),
        "booked_days": written("booked_days", [_posting(random, names, number, days) for number in range(120)]),
        "fx": written("fx", [_rate(year, month) for year in (2024, 2025) for month in range(1, 13)]),
        "token_usage": written("token_usage", [row for name in names for row in _usage(random, name, days)]),
        "training_runs": written("training_runs", [_run(random, names, number) for number in range(12 * bool(names))]),
        "lives": written("lives", _lives(random, names)),
        "token_weights": written("token_weights", _weights(random)),
        "budgets": written(
            "budgets", [{"month": date(2025, 5, 1), "model_id": "*", "phase": "*", "usd": Decimal(9000)}]
        ),
    }


def _model(random: Random, names: list[str], number: int, days: int) -> dict[str, Any]:
    return {
        "model_id": names[number],
        "aliases": [],
        "family": f"f{number % 2}",
        "base_model_id": random.choice([None, "outside", *names[:number]]),
        "origin": random.choice(["own", "own", "adopted"]),
        "params": random.choice([None, 1e9]),
        "training_tokens": random.choice([None, 2e10]),
        "released_on": NIGHT - timedelta(days=random.randint(0, days)),
        "retires_on": random.choice([None, NIGHT + timedelta(days=100), NIGHT, NIGHT - timedelta(days=1)]),
    }


def _posting(random: Random, names: list[str], number: int, days: int) -> dict[str, Any]:
    account = random.choice(ACCOUNTS)
    is_direct = account == "direct"
    day = NIGHT - timedelta(days=random.randint(-10, days))
    run = f"r{random.randint(0, 11)}" if is_direct and random.random() < 0.4 else None
    return {
        "source": f"cloud-{number % 2}",
        "charge_day": day,
        "charge_date": day,
        "billing_period_start": random.choice([day, NIGHT]).replace(day=1),
        "account": account,
        "model_id": random.choice([*names, "ghost"]) if is_direct else None,
        "phase": random.choice(PHASES) if is_direct else None,
        "pool_id": random.choice([None, "p", "q"]),
        "run_id": run,
        "team": random.choice([None, "red", "blue"]),
        "gpu_seconds": random.random() * 1e5 if account in {"direct", "idle", "unallocated"} else 0.0,
        "is_waste": run is not None and int(run[1:]) % 3 == 0,
        "currency": random.choice(["USD", "EUR"]),
        "billed_cost": Decimal(random.randint(-(10**13), 10**15)).scaleb(-12),
        "effective_cost": Decimal(random.randint(-(10**13), 10**15)).scaleb(-12),
    }


def _rate(year: int, month: int) -> dict[str, Any]:
    return {"month": date(year, month, 1), "currency": "EUR", "rate": Decimal("1.083719")}


def _usage(random: Random, name: str, days: int) -> list[dict[str, Any]]:
    """A model's requests on its last days; some deliver images, some tell no times."""
    is_image, is_timed = random.random() < 0.2, random.random() < 0.5
    return [
        {
            "hour": at(NIGHT - timedelta(days=back)),
            "part_start": at(NIGHT - timedelta(days=back)),
            "source": "gateway",
            "model_id": name,
            "deployment_id": random.choice([None, "d"]),
            "task": random.choice([None, "a", "b"]),
            "status": random.choice(["ok", "ok", "error", "pending"]),
            "requests": 3,
            "requests_with_usage": 2,
            "input_tokens": 0 if is_image else random.randint(10**6, 10**9),
            "cached_input_tokens": 0 if is_image else random.randint(0, 10**6),
            "output_tokens": 0 if is_image else random.randint(0, 10**8),
            "units": float(random.randint(0, 50)) if is_image else 0.0,
            "unit_name": "image" if is_image else None,
            "weighted_tokens_milli": 0,
            "duration_us": 0,
            "ttft_s_sum": random.random() if is_timed else None,
            "duration_s_sum": 1.0,
            "concurrency_mean": 1.0,
        }
        for back in range(random.choice([0, 1, 20, days]))
    ]


def _run(random: Random, names: list[str], number: int) -> dict[str, Any]:
    started = at(NIGHT - timedelta(days=30 - number))
    return {
        "run_id": f"r{number}",
        "source": "logs",
        "parent_run_id": random.choice([None, "r1"]),
        "hosts": [],
        "started_at": started,
        "ended_at": started + timedelta(hours=5),
        "end_source": "logged",
        "status": random.choice(["failed", "cancelled", "timeout"]) if number % 3 == 0 else "finished",
        "gpu_model": random.choice([None, "H100"]),
        "gpu_seconds": 1e5,
        "tokens": random.choice([None, 1e9]),
        "model_id": random.choice(names),
        "phase": random.choice(PHASES[:2]),
    }


def _lives(random: Random, names: list[str]) -> list[dict[str, Any]]:
    default = {"model_id": "*", "method": random.choice(["straight_line", "units_of_production"]), "months": 12.0}
    own = {"method": "units_of_production", "expected_tokens": 1e10, "valid_from": date(2025, 4, 1)}
    return [default, *({"model_id": name, **own} for name in names[:1])]


def _weights(random: Random) -> list[dict[str, Any]]:
    weight = {"input_milli": 1000, "cached_input_milli": 100, "output_milli": 4000}
    return random.choice([[], [{"deployment_id": "*", **weight}], [{"deployment_id": "d", **weight}]])


def invented(seed: int, days: int) -> Tables:
    return company(Random(seed), days)  # noqa: S311 — an invented company is no secret


companies = st.builds(invented, st.integers(min_value=0), st.integers(min_value=1, max_value=150))
slow = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(companies)
def test_every_dollar_of_the_ledger_is_kept_once_and_everything_closes(inputs: Tables) -> None:
    tables = computed(inputs)
    offending = {check.__name__: called(check, tables) for check in CHECKS}
    assert {name: rows.height for name, rows in offending.items() if rows.height} == {}


@slow
@given(companies, st.integers(min_value=0, max_value=1000))
def test_the_order_of_the_rows_changes_nothing(inputs: Tables, seed: int) -> None:
    shuffled = {name: rows.sample(fraction=1, shuffle=True, seed=seed) for name, rows in inputs.items()}
    once, again = computed(inputs), computed(shuffled)
    assert [
        function.__name__ for function in FLOW if not once[function.__name__].equals(again[function.__name__])
    ] == []


@slow
@given(companies)
def test_a_table_computed_again_is_the_same(inputs: Tables) -> None:
    once, again = computed(inputs), computed(inputs)
    assert all(once[name].equals(again[name]) for name in once)


@slow
@given(companies)
def test_no_more_is_kept_than_there_was_to_carry(inputs: Tables) -> None:
    rolled = computed(inputs)["amortization"].sort("model_id", "month")
    to_date = rolled.with_columns(
        pl.col("additions_usd", "amortized_usd", "written_off_usd").cum_sum().over("model_id")
    )
    carried = pl.col("amortized_usd") + pl.col("written_off_usd")
    assert to_date.filter((carried > pl.col("additions_usd")) & (pl.col("closing_usd") >= 0)).is_empty()
    assert rolled.filter(pl.col("closing_usd") < 0).is_empty()


@slow
@given(companies)
def test_the_parts_of_a_split_are_the_whole(inputs: Tables) -> None:
    tables = computed(inputs)
    kinds = tables["token_costs"].group_by("month", "model_id").agg(pl.col("used_usd").sum().alias("parts_usd"))
    both = kinds.join(tables["unit_costs"], on=["month", "model_id"])
    assert both.filter(pl.col("parts_usd") != pl.col("used_usd")).is_empty()
    idle = tables["daily_spend"].filter(pl.col("account") == "idle", pl.col("pool_id").is_not_null())
    assert tables["idle_shares"]["idle_usd"].sum() == idle["effective_usd"].sum()
    runs = tables["run_spend"].filter(pl.col("effective_usd") >= 0)
    assert runs.filter(pl.col("wasted_usd") > pl.col("effective_usd")).is_empty()


@slow
@given(companies)
def test_the_tasks_of_a_model_are_what_is_expected_of_the_model(inputs: Tables) -> None:
    tables = computed(inputs)
    tasks = tables["task_demand"]
    weeks = tables["demand_forecast"].filter(
        pl.col("day") <= NIGHT + timedelta(days=28), pl.col("quantity").is_in(["tokens", "units"])
    )
    models = weeks.group_by("model_id").agg(pl.col("expected_p50").sum())
    sums = tasks.group_by("model_id").agg(pl.col("share_ratio", "expected_p50").sum())
    both = sums.join(models, on="model_id", how="left", suffix="_of_model")
    assert both["share_ratio"].to_list() == pytest.approx([1.0] * both.height)
    assert both["expected_p50"].to_list() == pytest.approx(both["expected_p50_of_model"].to_list())
    assert tasks.filter(pl.col("expected_p10") > pl.col("expected_p90")).is_empty()


@slow
@given(companies)
def test_the_waste_of_the_lifecycle_is_that_of_the_causes(inputs: Tables) -> None:
    tables = computed(inputs)
    of_runs = tables["waste"].filter(~pl.col("cause").is_in(["idle", "commitment_unused"]))
    at_home = of_runs.filter(pl.col("model_id").is_not_null(), pl.col("phase").is_not_null())
    assert tables["lifecycle_spend"]["waste_usd"].sum() == at_home["wasted_usd"].sum()


@slow
@given(companies, st.integers(min_value=1, max_value=60))
def test_a_forecast_does_not_know_the_days_after_it(states_of: Any, inputs: Tables, back: int) -> None:
    unseen = NIGHT - timedelta(days=back)
    service = computed(inputs)["daily_service"]
    changed = service.with_columns(
        pl.when(pl.col("day") >= unseen)
        .then(pl.col("input_tokens") * 7 + 5)
        .otherwise("input_tokens")
        .alias("input_tokens")
    )
    spend = CATALOGUE["daily_spend"].empty()
    past = (pl.col("known_on") <= unseen) & (pl.col("quantity") == "tokens")
    once, again = (states_of(rows, spend, inputs["settings"]).filter(past) for rows in (service, changed))
    known = again.join(once, on=["known_on", "model_id"], how="semi")
    assert once.equals(known)


def _daily(values: list[int], first: date) -> pl.DataFrame:
    days = [first + timedelta(days=place) for place in range(len(values))]
    schema = CATALOGUE["daily_service"].polars_schema()
    rows = [{"day": day, "model_id": "m", "requests": 1, "input_tokens": value, "output_tokens": 0, "units": 0.0,
             "inference_usd": Decimal(0)} for day, value in zip(days, values, strict=True)]  # fmt: skip
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


@settings(max_examples=25)
@given(st.data())
def test_a_night_with_missing_last_days_knows_what_the_night_before_them_knew(
    states_of: Any, data: st.DataObject
) -> None:
    days = data.draw(st.integers(min_value=7, max_value=90))
    values = data.draw(st.lists(st.integers(min_value=1, max_value=10**9), min_size=days, max_size=days))
    missing = data.draw(st.integers(min_value=1, max_value=40))
    service, spend = _daily(values, NIGHT - timedelta(days=days - 1)), CATALOGUE["daily_spend"].empty()
    nights = (written("settings", [{"as_of": NIGHT + timedelta(days=late)}]) for late in (0, missing))
    before, after = (
        states_of(service, spend, night).filter(pl.col("known_on") == pl.col("known_on").max()) for night in nights
    )
    assert before.height
    assert after.drop("known_on", "unseen_days").equals(before.drop("known_on", "unseen_days"))
    assert set(after["unseen_days"]) == {missing}


@settings(max_examples=25)
@given(st.data())
def test_days_that_come_late_or_never_change_nothing_that_was_known_before_them(
    states_of: Any, data: st.DataObject
) -> None:
    days = data.draw(st.integers(min_value=40, max_value=120))
    values = data.draw(st.lists(st.integers(min_value=1, max_value=10**9), min_size=days, max_size=days))
    first = NIGHT - timedelta(days=days - 1)
    since = data.draw(st.integers(min_value=0, max_value=days - 1))
    kept = [place < since or data.draw(st.booleans()) for place in range(days)]
    service, spend = _daily(values, first), CATALOGUE["daily_spend"].empty()
    night = written("settings", [{"as_of": NIGHT}])
    past = pl.col("known_on") <= first + timedelta(days=since)
    once, again = (states_of(rows, spend, night).filter(past) for rows in (service, service.filter(kept)))
    assert once.equals(again)


@given(
    st.lists(st.floats(min_value=0.01, max_value=1e9), min_size=3, max_size=3),
    st.lists(st.floats(min_value=0.05, max_value=20), min_size=3, max_size=3),
    st.floats(min_value=1e-3, max_value=1e3),
)
def test_imbalance_never_pays_and_its_price_does_not_depend_on_the_size(
    spends: list[float], weights: list[float], scale: float
) -> None:
    target = np.array(weights) / sum(weights)
    penalty = float(penalty_ratio(np.array(spends), target))
    assert penalty >= 0
    assert float(penalty_ratio(np.array(spends) * scale, target)) == pytest.approx(penalty, rel=1e-9, abs=1e-9)
    assert float(penalty_ratio(target * scale, target)) == pytest.approx(0, abs=1e-12)
