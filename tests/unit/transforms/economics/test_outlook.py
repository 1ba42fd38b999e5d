"""The days ahead: demand, parity, and spend against the plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from transforms.economics.forecasts import demand_forecast, parity
from transforms.economics.outlook import spend_outlook

NIGHT = date(2025, 5, 31)
NOW = date(2025, 6, 1)
P90 = 1.2815515655446004


def state(quantity: str = "tokens", **given: Any) -> dict[str, Any]:
    known = {"known_on": NOW, "model_id": "m", "method": "smoothing", "level": 100.0, "sigma": 0.2}
    return {**known, "quantity": quantity, "season": [1.0] * 7, "day_sigmas": [0.1, 0.2, 0.3, 0.4], **given}


def test_each_day_ahead_has_its_weekdays_level(rows: Any, night: Any) -> None:
    # 1 June 2025 is a Sunday, the last of the seven
    season = [1.2, 1.2, 1.2, 1.2, 1.2, 0.6, 0.4]
    found = demand_forecast(rows("demand_states", state(season=season)), rows("model_lives"), night(NIGHT))
    assert found.height == 92
    assert found["expected_p50"].to_list()[:3] == pytest.approx([40, 120, 120])
    assert found["expected_p90"].to_list()[0] == pytest.approx(40 * np.exp(0.1 * P90))


def test_nothing_is_forecast_after_retirement(rows: Any, night: Any) -> None:
    lives = rows("model_lives", {"model_id": "m", "retires_on": date(2025, 6, 3)})
    assert demand_forecast(rows("demand_states", state()), lives, night(NIGHT))["day"].max() == date(2025, 6, 3)


def test_no_demand_is_no_forecast(rows: Any, night: Any) -> None:
    assert demand_forecast(rows("demand_states"), rows("model_lives"), night(NIGHT)).is_empty()


def test_parity_comes_when_the_forecast_has_served_what_is_missing(rows: Any, night: Any) -> None:
    found = parity_of(rows, night, 950.0)
    # 100 a day: the tenth day from 1 June is 10 June; at high demand 950/(100·e^0.256) → 8 days, at low demand 13
    assert (found["verdict"], found["parity_on_p50"]) == ("expected", date(2025, 6, 10))
    assert found["parity_on_p10"] == date(2025, 6, 8)
    assert found["parity_on_p90"] == date(2025, 6, 13)


def test_parity_beyond_the_service_is_never(rows: Any, night: Any) -> None:
    found = parity_of(rows, night, 1e6)
    assert (found["verdict"], found["parity_on_p10"], found["parity_on_p50"]) == ("never", None, None)


def test_parity_behind_the_model_is_reached(rows: Any, night: Any) -> None:
    assert parity_of(rows, night, 0.0)["verdict"] == "reached"


def test_parity_without_service_is_unknown(rows: Any, night: Any) -> None:
    assert parity_of(rows, night, None)["verdict"] == "unknown"
    assert parity_of(rows, night, 5.0, days=None)["verdict"] == "unknown"


def parity_of(rows: Any, night: Any, needed: float | None, days: int | None = 60) -> dict[str, Any]:
    """The parity of one model that serves 100 tokens a day for `days` days more."""
    cell = {"month": date(2025, 5, 1), "model_id": "m"}
    carried = rows("amortization", {**cell, "tokens_to_parity": needed, "production_unit": "tokens"})
    ahead = [] if days is None else [{"known_on": NOW, "model_id": "m", "quantity": "tokens", "days": days}]
    states = rows("demand_states", state())
    found = parity(carried, rows("training_assets", cell), states, rows("expected_service", *ahead), night(NIGHT))
    return found.row(0, named=True)


def spend(day: date, usd: object, **given: Any) -> dict[str, Any]:
    return {
        "charge_date": day,
        "account": "direct",
        "model_id": "m",
        "phase": "inference",
        "effective_usd": usd,
        **given,
    }


def outlook(rows: Any, night: Any, as_of: date, **tables: pl.DataFrame) -> dict[tuple[str, date], dict[str, Any]]:
    row = state("running_usd", model_id="*", known_on=as_of + timedelta(days=1), level=10.0, history_days=90)
    given = {"daily_spend": rows("daily_spend"), "demand_states": rows("demand_states", row)}
    given |= {name: rows(name) for name in ("training_runs", "budgets")} | tables
    found = spend_outlook(**given, settings=night(as_of))
    return {(row["grain"], row["period_start"]): row for row in found.iter_rows(named=True)}


def test_a_month_is_what_was_spent_and_what_runs_on(rows: Any, night: Any) -> None:
    # $50 by 20 May, 11 days of $10 to come; June 30 days; the quarter with April's $7: 57 + 41 × 10
    days = rows("daily_spend", spend(date(2025, 4, 3), 7), spend(date(2025, 5, 20), 50))
    found = outlook(rows, night, date(2025, 5, 20), daily_spend=days)
    assert set(found) == {("month", date(2025, 5, 1)), ("month", date(2025, 6, 1)), ("quarter", date(2025, 4, 1))}
    assert found["month", date(2025, 5, 1)]["total_usd_p50"] == Decimal(160)
    assert found["month", date(2025, 6, 1)]["total_usd_p50"] == Decimal(300)
    assert found["quarter", date(2025, 4, 1)]["total_usd_p50"] == Decimal(467)
    assert found["month", date(2025, 5, 1)]["within_plan_ratio"] is None


def test_the_chance_to_stay_within_the_plan(rows: Any, night: Any) -> None:
    # 11 days of $10 with a spread of 0.2: a plan of $110 is even; of $110 × e^(0.2 × 1.28) nine in ten
    cases = {Decimal(110): 0.5, Decimal(str(round(110 * np.exp(0.2 * P90), 6))): 0.9, Decimal(0): 0.0}
    for plan, chance in cases.items():
        budget = rows("budgets", {"month": date(2025, 5, 1), "model_id": "*", "phase": "*", "usd": plan})
        found = outlook(rows, night, date(2025, 5, 20), budgets=budget)["month", date(2025, 5, 1)]
        assert found["within_plan_ratio"] == pytest.approx(chance, abs=1e-6)
        assert found["budget_usd"] == plan


def test_planned_training_is_an_event_still_to_come(rows: Any, night: Any) -> None:
    # $80 planned, $30 spent: $50 to come; pre-training is exceeded and takes nothing back
    budgets = rows(
        "budgets",
        {"month": date(2025, 5, 1), "model_id": "*", "phase": "posttraining", "usd": 80},
        {"month": date(2025, 5, 1), "model_id": "*", "phase": "pretraining", "usd": 10},
    )
    days = rows(
        "daily_spend",
        spend(date(2025, 5, 3), 30, phase="posttraining"), spend(date(2025, 5, 3), 25, phase="pretraining"),
    )  # fmt: skip
    found = outlook(rows, night, date(2025, 5, 20), budgets=budgets, daily_spend=days)["month", date(2025, 5, 1)]
    assert (found["training_usd"], found["training_basis"]) == (Decimal(50), "plan")
    assert found["total_usd_p50"] == Decimal(55 + 50 + 110)


def test_a_run_that_goes_on_costs_what_it_cost_last_week(rows: Any, night: Any) -> None:
    # $70 in the last seven days, 11 days to the end of May
    runs = rows("training_runs", {"run_id": "r", "model_id": "m", "phase": "pretraining", "status": "running"})
    days = rows(
        "daily_spend", *(spend(date(2025, 5, 14) + timedelta(days=n), 10, phase="pretraining") for n in range(7))
    )
    found = outlook(rows, night, date(2025, 5, 20), training_runs=runs, daily_spend=days)
    assert found["month", date(2025, 5, 1)]["training_usd"] == Decimal(110)
    assert found["month", date(2025, 6, 1)]["training_basis"] == "none"


def test_the_quarter_has_a_plan_only_if_each_month_has(rows: Any, night: Any) -> None:
    budgets = [{"month": date(2025, month, 1), "model_id": "*", "phase": "*", "usd": 100} for month in (4, 5)]
    found = outlook(rows, night, date(2025, 5, 20), budgets=rows("budgets", *budgets))
    assert found["quarter", date(2025, 4, 1)]["budget_usd"] is None
    june = {"month": date(2025, 6, 1), "model_id": "*", "phase": "*", "usd": 100}
    found = outlook(rows, night, date(2025, 5, 20), budgets=rows("budgets", *budgets, june))
    assert found["quarter", date(2025, 4, 1)]["budget_usd"] == Decimal(300)


def test_on_the_last_day_of_a_quarter_nothing_is_to_come(rows: Any, night: Any) -> None:
    days = rows("daily_spend", spend(date(2025, 6, 30), 5))
    found = outlook(rows, night, date(2025, 6, 30), daily_spend=days)
    assert found["quarter", date(2025, 4, 1)]["total_usd_p90"] == Decimal(5)


def test_a_month_that_is_over_stays_in_the_outlook_until_it_is_billed(rows: Any, night: Any) -> None:
    # the night is 2 July, the bill ends on 29 June: a day of June is still to come, with its quarter
    as_of = date(2025, 7, 2)
    known = state("running_usd", model_id="*", known_on=date(2025, 7, 3), level=10.0, unseen_days=3)
    days = rows("daily_spend", spend(date(2025, 6, 29), 290))
    found = outlook(rows, night, as_of, demand_states=rows("demand_states", known), daily_spend=days)
    assert found["month", date(2025, 6, 1)]["total_usd_p50"] == Decimal(300)
    assert found["quarter", date(2025, 4, 1)]["total_usd_p50"] == Decimal(300)
    assert found["month", date(2025, 7, 1)]["total_usd_p50"] == Decimal(310)


def test_training_of_days_not_billed_belongs_to_the_month_of_these_days(rows: Any, night: Any) -> None:
    # $10 a day to 29 May, the night is 2 June: two days of May, 30 of June, 32 of the quarter
    runs = rows("training_runs", {"run_id": "r", "model_id": "m", "phase": "pretraining", "status": "running"})
    week = rows("daily_spend", *(spend(date(2025, 5, day), 10, phase="pretraining") for day in range(20, 30)))
    known = state("running_usd", model_id="*", known_on=date(2025, 6, 3), level=0.0, unseen_days=4)
    found = outlook(
        rows, night, date(2025, 6, 2), training_runs=runs, daily_spend=week, demand_states=rows("demand_states", known)
    )
    months = [found["month", date(2025, month, 1)]["training_usd"] for month in (5, 6)]
    assert (months, found["quarter", date(2025, 4, 1)]["training_usd"]) == ([Decimal(20), Decimal(300)], Decimal(320))


def test_a_plan_of_training_for_a_month_that_is_over_is_not_to_come_any_more(rows: Any, night: Any) -> None:
    # $80 planned for April, $30 spent; $40 planned for May, nothing spent yet
    budgets = rows("budgets", *({"month": date(2025, month, 1), "model_id": "*", "phase": "posttraining", "usd": usd}
                                for month, usd in ((4, 80), (5, 40))))  # fmt: skip
    days = rows("daily_spend", spend(date(2025, 4, 3), 30, phase="posttraining"))
    found = outlook(rows, night, date(2025, 5, 20), budgets=budgets, daily_spend=days)
    assert found["quarter", date(2025, 4, 1)]["training_usd"] == Decimal(40)


def test_no_history_has_no_outlook(rows: Any, night: Any) -> None:
    empty = {name: rows(name) for name in ("daily_spend", "demand_states", "training_runs", "budgets")}
    assert spend_outlook(**empty, settings=night(NIGHT)).is_empty()
