"""Forecasts of demand: what they find, how wide they are, and that they see no future."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.spend.service import production_units

NIGHT = date(2025, 6, 29)
TOMORROW = NIGHT + timedelta(days=1)
WEEKDAYS = (1.2, 1.1, 1.1, 1.1, 1.0, 0.8, 0.7)


def history(rows: Any, values: list[int], model_id: str = "m") -> pl.DataFrame:
    """Tokens of the days that end with the night."""
    first = NIGHT - timedelta(days=len(values) - 1)
    frame: pl.DataFrame = rows(
        "daily_service",
        *(
            {"day": first + timedelta(days=n), "model_id": model_id, "requests": 1, "input_tokens": value}
            for n, value in enumerate(values)
        ),
    )
    return frame


def weekly(days: int, growth: float = 1.0) -> list[int]:
    first = NIGHT - timedelta(days=days - 1)
    return [round(1e6 * growth**n * WEEKDAYS[(first + timedelta(days=n)).weekday()]) for n in range(days)]


def now(states: pl.DataFrame, model_id: str = "m") -> dict[str, Any]:
    return states.filter(pl.col("known_on") == TOMORROW, pl.col("model_id") == model_id).row(0, named=True)


def test_a_steady_week_is_repeated_without_error(rows: Any, night: Any, states_of: Any) -> None:
    state = now(states_of(history(rows, weekly(140)), rows("daily_spend"), night(NIGHT)))
    assert state["level"] == pytest.approx(1e6, rel=1e-3)
    assert state["season"] == pytest.approx(WEEKDAYS, rel=1e-3)
    assert state["mape_ratio"] == pytest.approx(0.0, abs=1e-3)
    assert state["history_days"] == 140


def test_noise_around_a_week_is_forecast_better_than_by_repeating_last_week(
    rows: Any, night: Any, states_of: Any
) -> None:
    generator = np.random.default_rng(3)
    values = [
        round(value * factor) for value, factor in zip(weekly(300), generator.lognormal(0, 0.2, 300), strict=True)
    ]
    state = now(states_of(history(rows, values), rows("daily_spend"), night(NIGHT)))
    assert state["method"] == "smoothing"
    assert state["mape_ratio"] < state["naive_mape_ratio"]
    assert 0.5 <= state["coverage_ratio"] <= 1.0


def test_under_four_weeks_the_last_week_stands_in_with_wide_bounds(rows: Any, night: Any, states_of: Any) -> None:
    state = now(states_of(history(rows, [100] * 13 + [170]), rows("daily_spend"), night(NIGHT)))
    # six days of 100 and one of 170
    assert (state["method"], state["level"], state["sigma"]) == ("last_week", 110.0, 1.0)
    assert (state["mape_ratio"], state["folds"]) == (None, 0)


def test_a_first_day_is_a_level(rows: Any, night: Any, states_of: Any) -> None:
    assert now(states_of(history(rows, [42]), rows("daily_spend"), night(NIGHT)))["level"] == 42.0


def test_nothing_known_on_a_day_depends_on_the_days_after_it(rows: Any, night: Any, states_of: Any) -> None:
    past = weekly(150, 1.002)
    first = states_of(history(rows, past), rows("daily_spend"), night(NIGHT))
    shock = [*past[:-20], *(9 * value for value in past[-20:])]
    second = states_of(history(rows, shock), rows("daily_spend"), night(NIGHT))
    unseen = NIGHT - timedelta(days=19)
    before = pl.col("known_on") <= unseen
    assert first.filter(before).height >= 4
    assert first.filter(before).equals(second.filter(before))
    assert not first.filter(~before).equals(second.filter(~before))


def test_what_is_known_on_a_day_does_not_depend_on_the_other_days_asked_for(rows: Any, night: Any) -> None:
    # two years and more: the day after the night rests on the back-tests of the last 76 weeks alone
    generator = np.random.default_rng(5)
    noisy = [[round(value * factor) for value, factor in zip(weekly(800, growth), generator.lognormal(0, 0.3, 800),
             strict=True)] for growth in (1.001, 0.999)]  # fmt: skip
    service = pl.concat([history(rows, noisy[0], "a"), history(rows, noisy[1][-300:], "b")])
    spend, units = rows("daily_spend"), production_units(service)
    months = service.select(month=pl.col("day").dt.truncate("1mo"))
    days = estimate_days(service, months, months, night(NIGHT))
    whole = demand_states(days, service, units, spend)
    assert days.height == 27
    for known_on in (date(2024, 3, 1), date(2025, 2, 1), TOMORROW):
        day, before = days.filter(pl.col("known_on") == known_on), service.filter(pl.col("day") < known_on)
        alone = demand_states(day, before, units, spend)
        assert alone.height >= 2
        assert alone.equals(whole.filter(pl.col("known_on") == known_on))


def test_all_models_together_are_a_series_of_their_own(rows: Any, night: Any, states_of: Any) -> None:
    service = pl.concat([history(rows, [100] * 40, "a"), history(rows, [50] * 40, "b")])
    states = states_of(service, rows("daily_spend"), night(NIGHT))
    assert now(states, "*")["level"] == pytest.approx(150)
    assert set(states["model_id"]) == {"*", "a", "b"}


def test_days_without_traffic_count_as_none(rows: Any, night: Any, states_of: Any) -> None:
    weekdays_only = [0 if (NIGHT - timedelta(days=139 - n)).weekday() >= 5 else 700 for n in range(140)]
    state = now(states_of(history(rows, weekdays_only), rows("daily_spend"), night(NIGHT)))
    assert state["level"] == pytest.approx(500, rel=0.02)
    assert state["season"][5:] == pytest.approx([0, 0], abs=1e-3)


def test_no_service_has_no_demand(rows: Any, night: Any, states_of: Any) -> None:
    assert states_of(rows("daily_service"), rows("daily_spend"), night(NIGHT)).is_empty()


def test_a_night_before_all_service_has_no_demand(rows: Any, night: Any, states_of: Any) -> None:
    assert states_of(history(rows, [5]).filter(pl.lit(value=False)), rows("daily_spend"), night(NIGHT)).is_empty()


def test_what_is_still_to_come_is_the_level_times_the_days_left(rows: Any) -> None:
    # 100 a day over 28 days to 27 July; one block of four weeks has the spread of one step
    state = {
        "known_on": TOMORROW,
        "model_id": "m",
        "quantity": "tokens",
        "method": "smoothing",
        "level": 100.0,
        "sigma": 0.5,
    }
    life = {"model_id": "m", "ends_on": date(2025, 7, 27), "retires_on": date(2025, 7, 27), "basis": "retires_on"}
    found = expected_service(rows("demand_states", state), rows("demand_paths"), rows("model_lives", life)).row(
        0, named=True
    )
    assert (found["days"], found["expected_p50"]) == (28, 2800.0)
    assert found["expected_p90"] == pytest.approx(2800 * np.exp(0.5 * 1.2815515655446004))
    assert found["variation_ratio"] == pytest.approx(np.sqrt(np.exp(0.25) - 1))


def test_a_longer_future_is_less_certain(rows: Any) -> None:
    # four blocks: variance (5 × 9) / 24 = 1.875 of one step
    state = {"known_on": TOMORROW, "model_id": "m", "quantity": "tokens", "level": 100.0, "sigma": 0.2}
    life = {"model_id": "m", "ends_on": TOMORROW + timedelta(days=111), "basis": "retires_on"}
    found = expected_service(rows("demand_states", state), rows("demand_paths"), rows("model_lives", life)).row(
        0, named=True
    )
    assert np.log(found["expected_p90"] / found["expected_p50"]) / 1.2815515655446004 == pytest.approx(
        0.2 * np.sqrt(1.875)
    )


def test_a_trend_flattens_out(rows: Any) -> None:
    # over two days 100 + 0.98 × 10, then 100 + (0.98 + 0.98²) × 10: 229.204
    state = {"known_on": TOMORROW, "model_id": "m", "quantity": "tokens", "level": 100.0, "trend": 10.0, "sigma": 0.1}
    life = {"model_id": "m", "ends_on": TOMORROW + timedelta(days=1), "basis": "retires_on"}
    found = expected_service(rows("demand_states", state), rows("demand_paths"), rows("model_lives", life)).row(
        0, named=True
    )
    assert found["expected_p50"] == pytest.approx(229.204)


def test_a_retired_model_expects_nothing(rows: Any) -> None:
    state = {"known_on": TOMORROW, "model_id": "m", "quantity": "tokens", "level": 100.0, "sigma": 0.1}
    life = {"model_id": "m", "ends_on": date(2025, 6, 28), "retires_on": date(2025, 6, 28), "basis": "retires_on"}
    found = expected_service(rows("demand_states", state), rows("demand_paths"), rows("model_lives", life)).row(
        0, named=True
    )
    assert (found["days"], found["expected_p90"]) == (0, 0.0)


def test_a_model_that_outlived_an_estimate_serves_four_weeks_more(rows: Any) -> None:
    state = {"known_on": TOMORROW, "model_id": "m", "quantity": "tokens", "level": 100.0, "sigma": 0.1}
    life = {"model_id": "m", "ends_on": date(2025, 1, 1), "basis": "family_median"}
    assert expected_service(rows("demand_states", state), rows("demand_paths"), rows("model_lives", life))[
        "days"
    ].to_list() == [28]


@pytest.mark.parametrize(
    ("model", "lives", "ends_on", "basis"),
    [
        ({"retires_on": date(2026, 1, 1)}, [], date(2026, 1, 1), "retires_on"),
        ({}, [{"model_id": "m", "months": 12.0}, {"model_id": "*", "months": 1.0}], date(2025, 12, 31), "model_policy"),
        ({"family": "f"}, [{"model_id": "*", "months": 1.0}], date(2025, 3, 11), "family_median"),
        ({}, [{"model_id": "*", "months": 12.0}], date(2025, 12, 31), "default_policy"),
        ({}, [], date(2025, 3, 11), "company_median"),
    ],
)
def test_the_end_of_service_is_what_is_known_best(
    rows: Any, night: Any, model: dict[str, Any], lives: list[dict[str, Any]], ends_on: date, basis: str
) -> None:
    # a retired sister of family f lived 70 days
    sister = {"model_id": "s", "family": "f", "released_on": date(2024, 1, 1), "retires_on": date(2024, 3, 10)}
    models = rows("models", {"model_id": "m", "released_on": date(2025, 1, 1), **model}, sister)
    policy = rows("lives", *({"method": "straight_line", **row} for row in lives))
    found = model_lives(models, policy, rows("daily_service"), night(NIGHT))
    assert found.filter(pl.col("model_id") == "m").select("ends_on", "basis").row(0) == (ends_on, basis)


def test_without_anything_known_a_year_is_assumed_and_said(rows: Any, night: Any) -> None:
    models = rows("models", {"model_id": "m", "released_on": date(2025, 1, 1)}, {"model_id": "n"})
    found = model_lives(models, rows("lives"), rows("daily_service"), night(NIGHT))
    assert found.select("ends_on", "basis").rows() == [(date(2025, 12, 31), "assumed"), (None, "not_released")]


def test_a_life_policy_of_the_future_does_not_hold_yet(rows: Any, night: Any) -> None:
    models = rows("models", {"model_id": "m", "released_on": date(2025, 1, 1)})
    later = rows("lives", {"model_id": "m", "method": "straight_line", "months": 1.0, "valid_from": TOMORROW})
    assert model_lives(models, later, rows("daily_service"), night(NIGHT))["basis"].to_list() == ["assumed"]
