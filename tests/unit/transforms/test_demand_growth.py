"""Shapes of demand: what a level, a growth with a half-life, a line and a year add up to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from transforms.demand_growth import YEAR_WEEKS, Floats, Paths, grown_days, mixture_quantiles


def path(growth: float = 0.0, half_life: float = math.inf, **given: Any) -> Paths:
    return Paths(
        weight=np.ones(1),
        level=np.array([100.0]),
        daily_growth=np.array([growth]),
        half_life_days=np.array([half_life]),
        is_linear=np.array([given.get("is_linear", False)]),
        season=given.get("season", np.ones((1, YEAR_WEEKS))),
        sigmas=np.array([given.get("sigmas", (0.1, 0.2, 0.3))]),
    )


def days(first: float, last: float) -> tuple[Floats, Floats]:
    return np.array([[first]]), np.array([[last]])


def test_a_growth_that_halves_every_sixty_days_adds_up_to_at_most_sixty_over_the_logarithm_of_two() -> None:
    assert grown_days(np.array([1e6]), np.array([60.0])) == pytest.approx([60 / math.log(2)])
    assert grown_days(np.array([60.0]), np.array([60.0])) == pytest.approx([30 / math.log(2)])


def test_a_growth_without_a_half_life_goes_on_for_180_days_and_then_halves_every_180() -> None:
    gained = grown_days(np.array([90.0, 180.0, 360.0]), np.array([math.inf] * 3))
    assert gained == pytest.approx([90, 180, 180 + 90 / math.log(2)])


def test_a_level_adds_up_by_its_days_and_a_decline_by_its_integral() -> None:
    assert path().total(*days(10, 38))[0, 0] == pytest.approx(2800)
    # 20 % in 30 days: ln 0.8 / 30 a day; over 180 days 100 × (1 − 0.8⁶) / (−ln 0.8 / 30)
    rate = math.log(0.8) / 30
    assert path(rate).total(*days(0, 180))[0, 0] == pytest.approx(100 * (0.8**6 - 1) / rate, rel=1e-9)


def test_a_line_gains_the_same_each_day_and_never_falls_below_a_twentieth() -> None:
    assert path(0.01, is_linear=True).total(*days(0, 100))[0, 0] == pytest.approx(100 * (100 + 0.01 * 5000))
    assert path(-0.01, is_linear=True).relative(np.array([[150.0]]))[0, 0] == 0.05


def test_a_year_repeats_itself_week_by_week() -> None:
    season = np.ones((1, YEAR_WEEKS))
    season[0, 1] = 3.0
    yearly = path(season=season)
    assert yearly.total(*days(0, 21))[0, 0] == pytest.approx(700 + 2100 + 700)
    assert yearly.total(*days(364, 385))[0, 0] == pytest.approx(3500)
    assert yearly.total(*days(10, 11))[0, 0] == pytest.approx(300)


def test_a_spread_is_that_of_each_horizon_and_a_power_of_the_days_between_and_beyond() -> None:
    spread = path(sigmas=(0.1, 0.2, 0.3)).spread(np.array([[7.0, 28.0, 90.0, 180.0, 720.0]]))[0]
    assert spread[:4] == pytest.approx([0.1, 0.1, 0.2, 0.3])
    assert spread[4] == pytest.approx(0.3 * 4 ** (math.log(1.5) / math.log(2)))


def test_windows_add_up_to_the_error_of_the_whole() -> None:
    made, ends = path(), np.array([[0.0, 30.0, 60.0, 90.0]])
    within = made.spread_within(ends[:, :-1], ends[:, 1:])[0]
    assert 30 * within.sum() == pytest.approx(90 * made.spread(np.array([[90.0]]))[0, 0])


def test_quantiles_of_a_mixture_lie_where_the_weights_say() -> None:
    alone = mixture_quantiles(np.array([0]), np.ones(1), np.array([2.0]), np.array([0.5]), 0.9)
    assert alone == pytest.approx([math.exp(2 + 1.2815515655446004 * 0.5)], rel=1e-7)
    # two ways far apart: up to the weight of the lower one a quantile is its own
    group, weight = np.array([0, 0, 1]), np.array([0.8, 0.2, 1.0])
    low = mixture_quantiles(group, weight, np.array([0.0, 20.0, 1.0]), np.array([0.1, 0.1, 0.1]), 0.4)
    assert low == pytest.approx([1.0, math.exp(1 - 0.25334710313579978 * 0.1)], rel=1e-6)
