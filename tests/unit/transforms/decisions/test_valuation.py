"""Cash that a reader can add up."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.decisions.actions.gpu_changes import ramp
from transforms.decisions.demand.demand_draws import median_path
from transforms.decisions.portfolio.valuation import Cash, discount_factors


def cash(**changes: object) -> Cash:
    """One action over four months: 100 paid, 90 saved in each month of each of two draws."""
    parts = {
        "one_off": np.array([100.0, 100.0]),
        "saved": np.full((4, 2), 90.0),
        "paid": np.full((4, 2), 120.0),
        "passes": np.array([True, True]),
        "failed": np.array([0.0, 0.0]),
        "months": 4.0,
        "discount_ratio": 0.0,
    }
    return Cash(**{**parts, **changes})


def test_the_value_is_what_is_saved_less_what_is_paid() -> None:
    # 4 × 90 − 100 = 260
    assert cash().net_present_value.tolist() == [260, 260]
    assert cash().monthly_saving.tolist() == [90, 90]


def test_where_the_gate_fails_nothing_is_saved_and_the_price_of_knowing_is_lost() -> None:
    uncertain = cash(passes=np.array([True, False]), failed=np.array([30.0, 30.0]))

    assert uncertain.net_present_value.tolist() == [260, -30]
    assert uncertain.monthly_saving.tolist() == [90, 0]
    assert uncertain.value_if_passed.tolist() == [260, 260]
    assert uncertain.cumulative[:, 1].tolist() == [-30, -30, -30, -30, -30]


def test_a_month_is_the_mean_from_where_at_least_half_of_the_most_is_saved() -> None:
    # a contract ends after two months: 0, 0, 60, 80 are 70 a month from the third on
    later = cash(saved=np.array([[0.0, 0], [0, 0], [60, 60], [80, 80]]))

    assert later.first_month == 2
    assert later.monthly_saving.tolist() == [70, 70]


def test_a_year_is_the_twelve_months_from_the_night_and_not_those_of_full_effect() -> None:
    # nothing for three months, then 10 a month for eleven: nine of them lie in the year
    later = cash(saved=np.array([[0.0, 0]] * 3 + [[10, 10]] * 11), passes=np.array([True, False]))

    assert later.next_year.tolist() == [90, 0]


def test_cash_is_paid_back_in_the_month_in_which_it_turns() -> None:
    # −100, −10, 80, 170, 260: the second month
    assert cash().cumulative[:, 0].tolist() == [-100, -10, 80, 170, 260]
    assert cash().median_payback_months() == 2


def test_cash_that_never_turns_is_never_paid_back() -> None:
    assert cash(one_off=np.array([1000.0, 1000.0])).median_payback_months() == np.inf


def test_the_savings_may_fall_to_where_they_only_pay_the_costs() -> None:
    # 360 × share = 100
    assert cash().break_even_demand.tolist() == pytest.approx([100 / 360] * 2)


def test_a_dollar_in_a_year_is_worth_a_dollar_less_the_cost_of_capital() -> None:
    assert discount_factors(12, 0.10)[-1] == pytest.approx(1 / 1.1)


def test_traffic_moves_evenly_after_the_lead() -> None:
    # nothing in the first month; a quarter, then three quarters while it moves over two; then all of it
    assert ramp(5, lead=1, move=2).tolist() == pytest.approx([0, 0.25, 0.75, 1, 1])


def test_the_last_month_counts_as_far_as_the_model_serves() -> None:
    assert ramp(2.5, lead=0, move=1e-9).tolist() == pytest.approx([1, 1, 0.5])


def test_traffic_is_back_when_its_new_home_retires() -> None:
    assert ramp(4, lead=0, move=1e-9, stop=2).tolist() == pytest.approx([1, 1, 0, 0])


def test_a_level_demand_is_the_same_each_month() -> None:
    # 30.4375 days a month
    assert median_path(100, 0, 2.5).tolist() == pytest.approx([3043.75, 3043.75, 3043.75])


def test_a_falling_demand_does_not_fall_below_nothing() -> None:
    assert median_path(100, -10, 6)[-1] == 0
