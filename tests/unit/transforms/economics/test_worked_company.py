"""The worked company of docs/economics.md: every table that the page prints, from the same rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from transforms.economics import checks
from transforms.economics.amortization.amortization import amortization
from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.amortization.training_assets import training_assets
from transforms.economics.forecast.demand_forecast import parity
from transforms.economics.forecast.demand_paths import demand_paths
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend
from transforms.economics.spend.lifecycle_spend import lifecycle_spend
from transforms.economics.spend.lineage_shares import lineage_shares
from transforms.economics.spend.model_thirds import thirds
from transforms.economics.spend.phase_compute import phase_compute
from transforms.economics.spend.service import daily_service, production_units, served_days
from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.spend.waste import goodput, run_spend, waste
from transforms.economics.unit_costs.token_kind_costs import token_costs
from transforms.economics.unit_costs.unit_costs import unit_costs
from transforms.economics.variance.budget_variances import budget_variances
from transforms.economics.variance.variance_bridge import variance_bridge

PAGE = Path(__file__).parents[4] / "docs" / "economics.md"
JANUARY, FEBRUARY, MARCH = date(2026, 1, 15), date(2026, 2, 10), date(2026, 3, 31)
SERVED_DAYS = [date(2026, 3, 2) + timedelta(days=day) for day in range(30)]
LIFE = {"released_on": SERVED_DAYS[0], "retires_on": date(2027, 3, 31)}
FLOW: tuple[Callable[..., pl.DataFrame], ...] = (
    daily_spend, monthly_spend, idle_shares, shared_shares, run_spend, model_spend, company_spend, served_days,
    production_units, daily_service, lineage_shares,
    phase_compute, lifecycle_spend, estimate_days, demand_states, demand_paths, model_lives, expected_service, thirds,
    training_assets, amortization,
    parity, unit_costs, token_costs, waste, goodput, budget_variances, variance_bridge,
)  # fmt: skip


def posting(day: date, account: str, usd: int, **given: Any) -> dict[str, Any]:
    month = day.replace(day=1)
    known = {"charge_date": day, "billing_period_start": month, "account": account, "currency": "USD"}
    return {**known, "effective_cost": usd, "billed_cost": usd, **given}


def trained(day: date, model: str, phase: str, run: str, usd: int, seconds: float, **given: Any) -> dict[str, Any]:
    what = {"model_id": model, "phase": phase, "run_id": run, "pool_id": "train", "gpu_seconds": seconds}
    return posting(day, "direct", usd, **what, **given)


def served(model: str, day: date, usd: int, seconds: float) -> dict[str, Any]:
    what = {"model_id": model, "phase": "inference", "pool_id": "serve", "gpu_seconds": seconds}
    return posting(day, "direct", usd, **what)


def usage(model: str, day: date, input_tokens: int, cached: int, output: int) -> dict[str, Any]:
    hour = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    counts = {"input_tokens": input_tokens, "cached_input_tokens": cached, "output_tokens": output}
    return {"hour": hour, "part_start": hour, "model_id": model, "status": "ok", "requests": 1000, **counts}


@pytest.fixture(scope="module")
def company(rows: Any, night: Any) -> dict[str, pl.DataFrame]:
    """Everything that the economics compute of the company of the page."""
    booked = rows(
        "booked_days",
        trained(JANUARY, "kite", "pretraining", "big-1", 800_000, 1_000_000.0),
        trained(JANUARY, "kite", "pretraining", "big-0", 100_000, 125_000.0, is_waste=True),
        posting(JANUARY, "idle", 90_000, pool_id="train", gpu_seconds=112_500.0),
        trained(FEBRUARY, "kite", "posttraining", "rl-1", 150_000, 300_000.0),
        trained(FEBRUARY, "kite-law", "posttraining", "sft-1", 50_000, 100_000.0),
        posting(FEBRUARY, "idle", 40_000, pool_id="train", gpu_seconds=80_000.0),
        *(served("kite", day, 4_000, 20_000.0) for day in SERVED_DAYS),
        *(served("kite-law", day, 1_000, 5_000.0) for day in SERVED_DAYS),
        posting(MARCH, "idle", 25_000, pool_id="serve", gpu_seconds=125_000.0),
        posting(MARCH, "shared", 2_500, currency="EUR"),
        posting(MARCH, "commitment_unused", 2_000),
        posting(MARCH, "adjustment", 10_000),
    )
    tables = {
        "booked_days": booked,
        "settings": night(MARCH),
        "fx": rows("fx", {"month": date(2026, 3, 1), "currency": "EUR", "rate": "1.2"}),
        "models": rows(
            "models",
            {"model_id": "kite", "origin": "own", "params": 7e9, **LIFE},
            {"model_id": "kite-law", "origin": "own", "base_model_id": "kite", "params": 7e9, **LIFE},
        ),
        "token_usage": rows(
            "token_usage",
            *(usage("kite", day, 1_000_000_000, 200_000_000, 300_000_000) for day in SERVED_DAYS),
            *(usage("kite-law", day, 250_000_000, 0, 75_000_000) for day in SERVED_DAYS),
        ),
        "training_runs": rows(
            "training_runs",
            {"run_id": "big-1", "status": "finished", "model_id": "kite", "phase": "pretraining", "tokens": 2e12,
             "gpu_model": "H100", "gpu_seconds": 1_000_000.0 * 170},
            {"run_id": "big-0", "status": "failed"},
        ),
        "run_attempts": rows("run_attempts"),
        "training_metrics": rows("training_metrics"),
        "token_weights": rows(
            "token_weights",
            {"deployment_id": "*", "input_milli": 1000, "cached_input_milli": 100, "output_milli": 4000},
        ),
        "lives": rows("lives", {"model_id": "*", "method": "units_of_production", "expected_tokens": 3.9e11}),
        "budgets": rows("budgets", {"month": date(2026, 3, 1), "model_id": "*", "phase": "*", "usd": 180_000}),
        "published_amortization": rows("published_amortization"),
        "two_phase_balance": rows("two_phase_balance"),
        "gpu_activity": rows("gpu_activity"),
    }  # fmt: skip
    for function in FLOW:
        tables[function.__name__] = function(**{name: tables[name] for name in inspect.signature(function).parameters})
    return tables


def printed(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {heading}\n\n")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def whole(amount: Decimal) -> str:
    """Dollars as the page prints them."""
    return f"{amount:,.0f}".replace("-", "−")


def test_the_page_prints_the_lifecycle(company: dict[str, pl.DataFrame]) -> None:
    columns = ("direct_usd", "idle_share_usd", "shared_share_usd", "inherited_usd", "total_usd")
    rows = company["lifecycle_spend"].select("model_id", "phase", *columns).iter_rows()
    assert printed("Lifecycle") == [[model, phase, *map(whole, amounts)] for model, phase, *amounts in rows]


def test_models_and_company_are_the_ledger_of_the_page(company: dict[str, pl.DataFrame]) -> None:
    carried = company["lifecycle_spend"]["total_usd"].sum(), company["company_spend"]["effective_usd"].sum()
    assert carried == (Decimal(1_408_000), Decimal(12_000))
    assert company["daily_spend"]["effective_usd"].sum() == Decimal(1_420_000)


def test_the_page_prints_the_thirds(company: dict[str, pl.DataFrame]) -> None:
    projected = [f"projected_penalty_ratio_{p}" for p in ("p10", "p50", "p90")]
    rows = company["thirds"].select("model_id", "penalty_ratio", "distance_usd", *projected, "status").iter_rows()
    assert printed("Thirds") == [
        [model, f"{penalty:.4f}", whole(distance), *(f"{x:.4f}" for x in ratios), status]
        for model, penalty, distance, *ratios, status in rows
    ]


def test_the_page_prints_the_roll_forward(company: dict[str, pl.DataFrame]) -> None:
    columns = ("opening_usd", "additions_usd", "amortized_usd", "written_off_usd", "closing_usd")
    rows = company["amortization"].select("month", "model_id", *columns).iter_rows()
    assert printed("Roll-forward") == [
        [f"{month:%Y-%m}", model, *map(whole, amounts)] for month, model, *amounts in rows
    ]


def test_the_page_prints_parity(company: dict[str, pl.DataFrame]) -> None:
    days = ("parity_on_p10", "parity_on_p50", "parity_on_p90")
    rows = company["parity"].select("model_id", "tokens_to_parity", *days).iter_rows()
    assert printed("Parity") == [
        [model, f"{tokens:,.0f}", *("never" if day is None else day.isoformat() for day in reached)]
        for model, tokens, *reached in rows
    ]


def test_the_page_prints_the_unit_costs(company: dict[str, pl.DataFrame]) -> None:
    parts = ("used", "idle_share", "shared_share", "allocated", "amortized_training", "fully_loaded")
    rows = company["unit_costs"].select("model_id", *(f"{part}_usd_per_mtok" for part in parts)).iter_rows()
    assert printed("Unit costs") == [[model, *(f"{rate:.4f}" for rate in rates)] for model, *rates in rows]
    assert company["unit_costs"]["utilization_ratio"].to_list() == pytest.approx([750 / 875] * 2)


def test_the_page_prints_the_kinds_of_token(company: dict[str, pl.DataFrame]) -> None:
    columns = ("model_id", "kind", "work_ratio", "used_usd", "used_usd_per_mtok")
    assert printed("Kinds of token") == [
        [model, kind, f"{work * 100:.1f} %", f"{usd:,.2f}", "–" if rate is None else f"{rate:.4f}"]
        for model, kind, work, usd, rate in company["token_costs"].select(columns).iter_rows()
    ]


def test_the_page_prints_the_bridge(company: dict[str, pl.DataFrame]) -> None:
    march = company["variance_bridge"].filter(pl.col("month") == date(2026, 3, 1))
    sums = march.group_by("driver").agg(pl.col("change_usd").sum()).sort("driver")
    assert printed("Bridge") == [["2026-03", driver, whole(usd)] for driver, usd in sums.iter_rows()]
    assert march["change_usd"].sum() == Decimal(190_000 - 240_000)


def test_the_page_tells_plan_price_and_goodput(company: dict[str, pl.DataFrame]) -> None:
    plan = company["budget_variances"].row(0, named=True)
    assert (plan["actual_usd"], plan["variance_usd"]) == (Decimal(190_000), Decimal(10_000))
    price = company["phase_compute"].filter(pl.col("usd_per_flop") < 2e-17)
    assert price["usd_per_flop"].to_list() == pytest.approx([900_000 / 8.4e22])
    assert company["goodput"]["goodput_ratio"].to_list() == pytest.approx([1_000_000 / 1_125_000, 1.0])


@pytest.mark.parametrize(
    "check",
    [
        checks.unconverted_spend, checks.days_off_the_ledger, checks.spend_off_the_ledger, checks.months_off_the_days,
        checks.torn_lineage, checks.open_roll_forwards, checks.assets_off_the_training, checks.shares_off_one,
        checks.open_bridges,
    ],
)  # fmt: skip
def test_every_check_of_the_page_is_green(check: Callable[..., pl.DataFrame], company: dict[str, pl.DataFrame]) -> None:
    assert check(**{name: company[name] for name in inspect.signature(check).parameters}).is_empty()
    assert f"`{check.__name__}`" in PAGE.read_text(encoding="utf-8")
