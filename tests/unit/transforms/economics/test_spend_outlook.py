"""The days ahead: demand, parity, and spend against the plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from transforms.economics.forecast.demand_forecast import demand_forecast, parity
from transforms.economics.forecast.spend_outlook import spend_outlook

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
    assert found.height == 28
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


def test_parity_of_a_demand_that_falls_is_dated_by_its_decline(rows: Any, night: Any) -> None:
    # 100 tokens a day that fall by 1 % a day add up to 100 × (1 − e^(−0.01·d)) / 0.01: 5,000 after 69.3 days
    path = {"known_on": NOW, "model_id": "m", "quantity": "tokens", "origin_on": NOW, "shape": "exponential"}
    sigmas = {"sigma_28": 0.01, "sigma_90": 0.01, "sigma_180": 0.01}
    ways = rows("demand_paths", {**path, **sigmas, "weight_ratio": 1.0, "level": 100.0, "daily_growth_ratio": -0.01})
    found = parity_of(rows, night, 5000.0, days=120, ways=ways)
    assert found["parity_on_p50"] == NIGHT + timedelta(days=70)
    assert parity_of(rows, night, 9000.0, days=120, ways=ways)["verdict"] == "never"


def parity_of(
    rows: Any, night: Any, needed: float | None, days: int | None = 60, ways: pl.DataFrame | None = None
) -> dict[str, Any]:
    """The parity of one model that serves 100 tokens a day for `days` days more."""
    cell = {"month": date(2025, 5, 1), "model_id": "m"}
    carried = rows("amortization", {**cell, "tokens_to_parity": needed, "production_unit": "tokens"})
    ahead = [] if days is None else [{"known_on": NOW, "model_id": "m", "quantity": "tokens", "days": days}]
    states = rows("demand_states", state())
    paths = rows("demand_paths") if ways is None else ways
    served = rows("expected_service", *ahead)
    found = parity(carried, rows("training_assets", cell), states, paths, served, night(NIGHT))
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


def serving(as_of: date, **given: Any) -> dict[str, Any]:
    """A forecast of $10 of serving a day of the company."""
    known = {"model_id": "*", "known_on": as_of + timedelta(days=1), "level": 10.0, "history_days": 90}
    return state("inference_usd", **known | given)


def running(as_of: date, **given: Any) -> dict[str, Any]:
    """What runs on in the company: only how far the bill goes counts."""
    return serving(as_of, **given) | {"quantity": "running_usd", "level": 99.0}


def outlook(rows: Any, night: Any, as_of: date, **tables: pl.DataFrame) -> dict[tuple[str, date], dict[str, Any]]:
    known = rows("demand_states", serving(as_of), running(as_of))
    given = {"daily_spend": rows("daily_spend"), "demand_states": known}
    given |= {name: rows(name) for name in ("demand_paths", "model_lives", "training_runs", "budgets")} | tables
    found = spend_outlook(**given, settings=night(as_of))
    return {(row["grain"], row["period_start"]): row for row in found.iter_rows(named=True)}


def test_a_month_is_what_was_spent_and_what_runs_on(rows: Any, night: Any) -> None:
    # $50 by 20 May, 11 days of $10 to come; June 30 days; the quarter with April's $7: 57 + 41 × 10; the next 92 × 10
    days = rows("daily_spend", spend(date(2025, 4, 3), 7), spend(date(2025, 5, 20), 50))
    found = outlook(rows, night, date(2025, 5, 20), daily_spend=days)
    months = {("month", date(2025, month, 1)) for month in range(5, 10)}
    assert set(found) == months | {("quarter", date(2025, 4, 1)), ("quarter", date(2025, 7, 1))}
    assert found["month", date(2025, 5, 1)]["total_usd_p50"] == Decimal(160)
    assert found["month", date(2025, 6, 1)]["total_usd_p50"] == Decimal(300)
    assert found["quarter", date(2025, 4, 1)]["total_usd_p50"] == Decimal(467)
    assert found["quarter", date(2025, 7, 1)]["total_usd_p50"] == Decimal(920)
    assert found["month", date(2025, 5, 1)]["within_plan_ratio"] is None


def test_idle_and_shared_cost_go_on_at_the_pace_of_the_last_three_months(rows: Any, night: Any) -> None:
    # 28 + 31 + 30 days of February to April cost $178 of idle, $2 a day; May's $900 are not a month that is over.
    # May: 900 + 11 × (10 + 2); June: 30 × 12
    cost = ((2, 100), (3, 78), (5, 900))
    days = [spend(date(2025, month, 1), usd, account="idle", phase=None) for month, usd in cost]
    found = outlook(rows, night, date(2025, 5, 20), daily_spend=rows("daily_spend", *days))
    may, june = (found["month", date(2025, month, 1)] for month in (5, 6))
    assert (may["other_usd"], may["total_usd_p50"]) == (Decimal(22), Decimal(1032))
    assert (june["other_usd"], june["total_usd_p50"]) == (Decimal(60), Decimal(360))
    quarter = found["quarter", date(2025, 4, 1)]
    assert quarter["other_usd"] == may["other_usd"] + june["other_usd"]


def test_the_pace_of_other_cost_is_that_of_the_days_that_are_billed(rows: Any, night: Any) -> None:
    # idle at $6 a day from August on; on the night of 2 November the bill ends on 29 October, so 90 days cost $540
    # and not 92; October is 29 × 6 and two days of 6 to come, beside 29 to 31 October, three days of 10, of serving
    as_of = date(2026, 11, 2)
    idle = [spend(day, 6, account="idle", phase=None) for day in _days(date(2026, 8, 1), date(2026, 10, 29))]
    known = rows("demand_states", serving(as_of, unseen_days=5), running(as_of, unseen_days=4))
    found = outlook(rows, night, as_of, daily_spend=rows("daily_spend", *idle), demand_states=known)
    october, december = (found["month", date(2026, month, 1)] for month in (10, 12))
    assert (october["actual_usd"], october["other_usd"], october["serving_usd_p50"]) == (174, 12, 30)
    assert december["total_usd_p50"] == Decimal(31 * 16)
    assert december["unseen_days"] == 5


def test_a_young_company_goes_on_as_all_its_known_days(rows: Any, night: Any) -> None:
    # it began on 21 October, 11 days of $8 and then 20 of $16: 408 / 31 days, where October alone would say $8
    as_of = date(2026, 11, 20)
    days = [*_days(date(2026, 10, 21), date(2026, 10, 31)), *_days(date(2026, 11, 1), as_of)]
    idle = [spend(day, 8 if day.month == 10 else 16, account="idle", phase=None) for day in days]
    found = outlook(rows, night, as_of, daily_spend=rows("daily_spend", *idle))["month", date(2026, 12, 1)]
    assert found["other_usd"] == pytest.approx(Decimal(408), abs=Decimal("0.000001"))


def test_a_credit_larger_than_all_other_cost_does_not_go_on(rows: Any, night: Any) -> None:
    spent = [spend(date(2025, 3, 3), 90, account="shared", phase=None),
             spend(date(2025, 4, 3), -9000, account="adjustment", phase=None)]  # fmt: skip
    found = outlook(rows, night, date(2025, 5, 20), daily_spend=rows("daily_spend", *spent))["month", date(2025, 6, 1)]
    assert (found["other_usd"], found["total_usd_p50"]) == (0, 300)


def test_a_credit_on_a_day_that_is_not_known_stays_a_credit(rows: Any, night: Any) -> None:
    # −$900 on the 19th, which requests do not cover: it takes nothing from the 13 days of $10 that are to come
    as_of = date(2025, 5, 20)
    known = rows("demand_states", serving(as_of, unseen_days=2), running(as_of))
    spent = rows("daily_spend", spend(date(2025, 5, 10), 180), spend(date(2025, 5, 19), -900))
    found = outlook(rows, night, as_of, daily_spend=spent, demand_states=known)["month", date(2025, 5, 1)]
    assert found["total_usd_p50"] == Decimal(180 - 900 + 130)


def test_a_model_that_retires_stops(rows: Any, night: Any) -> None:
    # $4 of the $10 a day are of a model that retires on 15 June: 15 days of 10 and 15 of 6
    as_of = date(2025, 5, 20)
    models = [serving(as_of, model_id=name, level=level) for name, level in (("old", 4.0), ("new", 6.0))]
    lives = rows("model_lives", {"model_id": "old", "retires_on": date(2025, 6, 15), "last_served_on": as_of})
    known = rows("demand_states", serving(as_of), running(as_of), *models)
    found = outlook(rows, night, as_of, demand_states=known, model_lives=lives)
    assert found["month", date(2025, 6, 1)]["serving_usd_p50"] == Decimal(240)
    assert found["quarter", date(2025, 7, 1)]["serving_usd_p50"] == Decimal(6 * 92)


def test_a_model_that_serves_after_its_day_goes_on(rows: Any, night: Any) -> None:
    as_of = date(2025, 5, 20)
    lives = {"model_id": "m", "retires_on": date(2025, 5, 10)}
    for served, usd in ((as_of, 300), (date(2025, 5, 10), 0)):
        known = rows("demand_states", serving(as_of), running(as_of), serving(as_of, model_id="m"))
        life = rows("model_lives", lives | {"last_served_on": served})
        found = outlook(rows, night, as_of, demand_states=known, model_lives=life)
        assert found["month", date(2025, 6, 1)]["serving_usd_p50"] == Decimal(usd)


def test_a_company_that_serves_nothing_has_no_method_of_serving(rows: Any, night: Any) -> None:
    as_of = date(2025, 5, 20)
    idle = rows("daily_spend", spend(date(2025, 4, 3), 60, account="idle", phase=None))
    known = rows("demand_states", running(as_of))
    found = outlook(rows, night, as_of, daily_spend=idle, demand_states=known)["month", date(2025, 6, 1)]
    # 28 days of April from the first cost on: $60 / 28 a day
    assert (found["method"], found["serving_usd_p90"]) == (None, Decimal(0))
    assert found["other_usd"] == pytest.approx(Decimal(60) * 30 / 28, abs=Decimal("0.000001"))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


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
    known = [serving(as_of, unseen_days=3), running(as_of, unseen_days=3)]
    days = rows("daily_spend", spend(date(2025, 6, 29), 290))
    found = outlook(rows, night, as_of, demand_states=rows("demand_states", *known), daily_spend=days)
    assert found["month", date(2025, 6, 1)]["total_usd_p50"] == Decimal(300)
    assert found["quarter", date(2025, 4, 1)]["total_usd_p50"] == Decimal(300)
    assert found["month", date(2025, 7, 1)]["total_usd_p50"] == Decimal(310)


def test_training_of_days_not_billed_belongs_to_the_month_of_these_days(rows: Any, night: Any) -> None:
    # $10 a day to 29 May, the night is 2 June: two days of May, 30 of June, 32 of the quarter
    runs = rows("training_runs", {"run_id": "r", "model_id": "m", "phase": "pretraining", "status": "running"})
    week = rows("daily_spend", *(spend(date(2025, 5, day), 10, phase="pretraining") for day in range(20, 30)))
    known = running(date(2025, 6, 2), unseen_days=4)
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


def test_a_quarter_is_its_months_even_where_one_is_planned_and_another_only_runs(rows: Any, night: Any) -> None:
    # a run of $10 a day goes on to the end of May, 11 days; June has $40 of post-training planned
    runs = rows("training_runs", {"run_id": "r", "model_id": "m", "phase": "pretraining", "status": "running"})
    days = rows(
        "daily_spend", *(spend(day, 10, phase="pretraining") for day in _days(date(2025, 5, 14), date(2025, 5, 20)))
    )
    budget = {"month": date(2025, 6, 1), "model_id": "*", "phase": "posttraining", "usd": 40}
    found = outlook(
        rows, night, date(2025, 5, 20), training_runs=runs, daily_spend=days, budgets=rows("budgets", budget)
    )
    months = [found["month", date(2025, month, 1)]["training_usd"] for month in (5, 6)]
    assert (months, found["quarter", date(2025, 4, 1)]["training_usd"]) == ([Decimal(110), Decimal(40)], Decimal(150))


def test_a_phase_that_is_planned_as_a_whole_and_by_model_is_planned_once(rows: Any, night: Any) -> None:
    lines = [{"month": date(2025, 5, 1), "model_id": model, "phase": "posttraining", "usd": 80} for model in ("*", "m")]
    found = outlook(rows, night, date(2025, 5, 20), budgets=rows("budgets", *lines))
    assert found["month", date(2025, 5, 1)]["training_usd"] == Decimal(80)


def path(as_of: date, **given: Any) -> dict[str, Any]:
    """One way in which the company's $10 of serving a day may go on, the origin on the morning after the night."""
    morning = as_of + timedelta(days=1)
    series = {"known_on": morning, "model_id": "*", "quantity": "inference_usd", "origin_on": morning}
    sigmas = {"sigma_28": 0.1, "sigma_90": 0.2, "sigma_180": 0.3}
    return {**series, **sigmas, "shape": "exponential", "weight_ratio": 1.0, "level": 10.0, **given}


def test_beyond_four_weeks_serving_goes_the_way_that_decisions_draw_from(rows: Any, night: Any) -> None:
    # from 1 May on $10 a day; four weeks by the flat trend, then 1 % a day: June is the days 31 to 61 of the path,
    # 10 × (e^0.61 − e^0.31) / 0.01 = $477.0; the quarter is its months
    as_of = date(2025, 4, 30)
    found = outlook(rows, night, as_of, demand_paths=rows("demand_paths", path(as_of, daily_growth_ratio=0.01)))
    may, june = found["month", date(2025, 5, 1)], found["month", date(2025, 6, 1)]
    last = 10 * (np.exp(0.31) - np.exp(0.28)) / 0.01
    assert float(may["serving_usd_p50"]) == pytest.approx(280 + last, rel=1e-4)
    assert float(june["serving_usd_p50"]) == pytest.approx(10 * (np.exp(0.61) - np.exp(0.31)) / 0.01, rel=1e-4)
    quarter = found["quarter", date(2025, 4, 1)]["serving_usd_p50"]
    assert quarter == pytest.approx(may["serving_usd_p50"] + june["serving_usd_p50"], abs=Decimal("1e-5"))


def test_two_ways_beyond_four_weeks_widen_what_lies_between_them(rows: Any, night: Any) -> None:
    # half the weight holds $10 a day, half falls by 2 % a day: the median is between, and P10 to P90 reach over both
    as_of = date(2025, 4, 30)
    ways = [path(as_of, path=1, weight_ratio=0.5), path(as_of, path=2, weight_ratio=0.5, daily_growth_ratio=-0.02)]
    found = outlook(rows, night, as_of, demand_paths=rows("demand_paths", *ways))
    september = found["month", date(2025, 9, 1)]
    assert september["serving_usd_p10"] < 10 * (np.exp(-2.46) - np.exp(-3.06)) / 0.02 < september["serving_usd_p50"]
    assert september["serving_usd_p50"] < 300 < september["serving_usd_p90"]


def test_a_window_of_four_weeks_keeps_the_spread_of_four_weeks(rows: Any, night: Any) -> None:
    # to 25 May are 25 days: the spread 0.2 of four weeks, whatever the paths say
    as_of = date(2025, 5, 6)
    wide = path(as_of, sigma_28=0.9, sigma_90=0.9, sigma_180=0.9)
    found = outlook(rows, night, as_of, demand_paths=rows("demand_paths", wide))["month", date(2025, 5, 1)]
    assert float(found["serving_usd_p90"] / found["serving_usd_p50"]) == pytest.approx(np.exp(0.2 * P90), rel=1e-6)


def test_no_history_has_no_outlook(rows: Any, night: Any) -> None:
    names = ("daily_spend", "demand_states", "demand_paths", "model_lives", "training_runs", "budgets")
    empty = {name: rows(name) for name in names}
    assert spend_outlook(**empty, settings=night(NIGHT)).is_empty()
