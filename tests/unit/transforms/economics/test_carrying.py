"""Training carried month by month."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from transforms.economics.amortization.amortization_schedule import (
    AmortizedMonth,
    Forecast,
    Month,
    Plan,
    Policy,
    roll_forward,
)

USD = 10**12
JANUARY = date(2025, 1, 1)


def months(*additions_and_production: tuple[int, float], night: date | None = None) -> list[Month]:
    """Months from January 2025 with dollars added and units served."""
    made, first, before = [], JANUARY, 0.0
    for additions, production in additions_and_production:
        following = (first + timedelta(days=31)).replace(day=1)
        last = min(following - timedelta(days=1), night or date.max)
        made.append(Month(first, last, additions * USD, production, before))
        first, before = following, before + production
    return made


def plan(**given: Any) -> Plan:
    known = {"serves_from": JANUARY, "retires_on": None, "fallback_days": 100.0, "policies": [], "forecasts": {}}
    return Plan(**{**known, **given})


def produced(expected: float) -> list[tuple[date | None, Policy]]:
    return [(None, Policy("units_of_production", None, expected))]


def straight(days: float) -> list[tuple[date | None, Policy]]:
    return [(None, Policy("straight_line", days, None))]


def dollars(history: list[AmortizedMonth]) -> list[float]:
    return [month.amortized / USD for month in history]


def closes(history: list[AmortizedMonth]) -> bool:
    ends = all(m.opening + m.month.additions - m.amortized - m.written_off == m.closing for m in history)
    return ends and all(before.closing == after.opening for before, after in pairwise(history))


def test_units_of_production_carry_by_what_was_served_of_what_was_expected() -> None:
    # $900 over 1000 units: 100 served → 90; of the 900 left 300 served → 810 × 300/900 = 270; then 540 × 600/600
    history = list(roll_forward(months((900, 100), (0, 300), (0, 600)), plan(policies=produced(1000))))
    assert dollars(history) == [90, 270, 540]
    assert history[-1].closing == 0
    assert closes(history)


def test_training_added_later_is_kept_by_the_units_still_to_come() -> None:
    # $900, 100 of 1000 → 90; $90 more: 900 left over 900 units, 450 served → 450
    history = list(roll_forward(months((900, 100), (90, 450)), plan(policies=produced(1000))))
    assert dollars(history) == [90, 450]


def test_more_served_than_expected_carries_the_rest_and_never_more() -> None:
    history = list(roll_forward(months((900, 400), (0, 900), (0, 50)), plan(policies=produced(1000))))
    assert dollars(history) == [360, 540, 0]
    assert [month.estimate.basis for month in history] == ["policy", "policy", "exhausted"]


def test_an_estimate_of_less_than_half_a_thousandth_of_a_unit_expects_nothing() -> None:
    # 1e-68 tokens to come: no fraction of them can be served, so what is left is carried at once
    history = list(roll_forward(months((900, 0)), plan(forecasts={JANUARY: Forecast(1e-68, 0.0)})))
    assert dollars(history) == [900]
    assert history[0].estimate.basis == "exhausted"


def test_an_estimate_changes_from_its_month_on_and_never_backwards() -> None:
    # 100 of 1000 → 90; from February 3100 in all, 3000 left: 810 × 300/3000 = 81
    policies = [*produced(1000), (date(2025, 2, 1), Policy("units_of_production", None, 3100.0))]
    history = list(roll_forward(months((900, 100), (0, 300)), plan(policies=policies)))
    assert dollars(history) == [90, 81]


def test_an_estimate_of_the_middle_of_a_month_waits_for_the_next() -> None:
    policies = [*produced(1000), (date(2025, 2, 2), Policy("units_of_production", None, 3100.0))]
    history = list(roll_forward(months((900, 100), (0, 300)), plan(policies=policies)))
    assert dollars(history) == [90, 270]


def test_straight_line_carries_by_the_day_from_the_first_served_day() -> None:
    # $1000 over 100 days from 11 January: 21 days, 28, 31, then 20 that are left
    history = list(
        roll_forward(
            months((1000, 0), (0, 0), (0, 0), (0, 0)), plan(serves_from=date(2025, 1, 11), policies=straight(100))
        )
    )
    assert dollars(history) == [210, 280, 310, 200]
    assert closes(history)


def test_the_running_month_carries_its_days_to_the_night() -> None:
    # 10 of the 100 days by 10 January
    assert dollars(list(roll_forward(months((1000, 0), night=date(2025, 1, 10)), plan(policies=straight(100))))) == [
        100
    ]


def test_nothing_is_kept_before_the_model_serves() -> None:
    history = list(roll_forward(months((500, 0), (500, 0)), plan(serves_from=None, policies=straight(100))))
    assert (dollars(history), history[-1].closing) == ([0, 0], 1000 * USD)
    assert history[0].estimate.basis == "not_serving"


def test_retirement_writes_the_rest_off() -> None:
    # 31 + 14 of 100 days carried by 14 February; 55 % of $1000 stranded; later training is stranded at once
    given = plan(retires_on=date(2025, 2, 14), policies=straight(100))
    history = list(roll_forward(months((1000, 0), (0, 0), (7, 0)), given))
    assert dollars(history) == [310, 140, 0]
    assert [month.written_off / USD for month in history] == [0, 550, 7]
    assert closes(history)


def test_a_retirement_still_to_come_writes_nothing_off() -> None:
    given = plan(retires_on=date(2025, 1, 20), policies=straight(100))
    assert next(roll_forward(months((1000, 0), night=date(2025, 1, 19)), given)).written_off == 0
    assert next(roll_forward(months((1000, 0), night=date(2025, 1, 20)), given)).written_off == 800 * USD


def test_a_forecast_stands_in_where_the_policy_names_no_units() -> None:
    forecasts = {date(2025, 2, 1): Forecast(600.0, 0.3)}
    policies = [(None, Policy("units_of_production", None, None))]
    history = list(roll_forward(months((690, 50), (0, 200)), plan(policies=policies, forecasts=forecasts)))
    # January knows no demand: 31 of 100 days of $690 = 213.9; February: 476.1 × 200/600 = 158.7
    assert dollars(history) == pytest.approx([213.9, 158.7])
    assert [month.estimate.basis for month in history] == ["no_estimate", "forecast"]


def test_a_forecast_less_certain_than_its_size_gives_way_to_the_life() -> None:
    forecasts = {JANUARY: Forecast(600.0, 1.01)}
    policies = [(None, Policy("units_of_production", 62.0, None))]
    history = list(roll_forward(months((620, 50)), plan(policies=policies, forecasts=forecasts)))
    # the shorter of 62 days of the policy and 100 of the family: half of $620
    assert (dollars(history), history[0].estimate.basis) == ([310], "too_uncertain")


def test_a_credit_larger_than_the_balance_is_given_back_at_once() -> None:
    # 620 of $1000 carried; a credit of 500 leaves −120: nothing may have been carried beyond what there was
    history = list(roll_forward(months((1000, 0), (0, 0), (-500, 0)), plan(policies=straight(100))))
    history_two = list(roll_forward(months((1000, 0), (0, 0), (0, 0), (-500, 0)), plan(policies=straight(100))))
    assert dollars(history) == [310, 280, -90]
    assert dollars(history_two) == [310, 280, 310, -400]
    assert closes(history)
    assert closes(history_two)


def test_an_amount_that_no_fraction_divides_still_closes() -> None:
    # $1 over 3 units: 0.333333333333, then half of the rest, then all of it
    history = list(roll_forward(months((1, 1), (0, 1), (0, 1)), plan(policies=produced(3))))
    assert [month.amortized for month in history] == [333333333333, 333333333334, 333333333333]
    assert closes(history)


def test_months_without_cost_or_service_keep_rolling() -> None:
    history = list(roll_forward(months((100, 0), (0, 0), (0, 0)), plan(policies=produced(10))))
    assert [month.closing // USD for month in history] == [100, 100, 100]
