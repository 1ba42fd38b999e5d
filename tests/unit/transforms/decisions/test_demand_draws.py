"""Draws of demand: as wide over a life as its forecast, narrower at first and wider at last."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from transforms.decisions.demand.demand_draws import Paths, demand_draws, path_draws, wandering
from transforms.decisions.randomness import generator, uncertain_spreads

NIGHT = date(2026, 11, 21)


@pytest.mark.parametrize("months", [1, 2, 12, 24])
def test_the_mean_month_of_a_wandering_level_spreads_by_one(months: int) -> None:
    dice = np.random.default_rng(months)
    level = wandering(dice.standard_normal((months, 200_000)), np.ones(200_000))

    assert level.mean(axis=0).std() == pytest.approx(1, abs=0.01)


def test_the_first_month_is_known_better_than_the_whole_and_the_last_one_worse() -> None:
    dice = np.random.default_rng(1)
    level = wandering(dice.standard_normal((12, 200_000)), np.ones(200_000))

    # the mean of 12 steps has (13 × 25) / 72 = 4.51 times the variance of one; after 12 of them it is 12 times
    assert level[0].std() == pytest.approx(math.sqrt(1 / 4.514), abs=0.01)
    assert level[-1].std() == pytest.approx(math.sqrt(12 / 4.514), abs=0.02)


def test_a_spread_known_from_few_errors_is_itself_uncertain() -> None:
    few = uncertain_spreads(generator(NIGHT, "m", "demand"), 4.0, 100_000)
    many = uncertain_spreads(generator(NIGHT, "m", "demand"), 400.0, 100_000)

    # a chi-square of 3 degrees is under a third of them half the time and rarely near none
    assert np.quantile(few, 0.9) > 1.8
    assert np.quantile(many, 0.9) < 1.1
    assert (uncertain_spreads(generator(NIGHT, "m", "demand"), 0.0, 10) == 1).all()


def test_nothing_ahead_has_no_draws() -> None:
    assert wandering(np.zeros((0, 5)), np.ones(5)).shape == (0, 5)


def test_a_level_without_spread_is_its_path() -> None:
    path = np.array([1.0, 2.0, 3.0])
    level = 0.0 * wandering(np.random.default_rng(0).standard_normal((3, 4)), np.ones(4))

    assert (demand_draws(path, level) == path[:, None]).all()


def test_each_draw_goes_one_way_as_often_as_its_weight_says() -> None:
    ways = Paths(np.array([0.75, 0.25]), np.array([[100.0, 100.0], [80.0, 64.0]]), np.array([[0.1, 0.2], [0.1, 0.2]]))
    still = path_draws(ways, np.zeros(4), np.array([0.0, 0.5, 0.74, 0.76]))

    assert still.tolist() == [[100, 100, 100, 80], [100, 100, 100, 64]]


def test_errors_of_all_months_of_a_draw_go_together() -> None:
    ways = Paths(np.array([1.0]), np.array([[100.0, 100.0]]), np.array([[0.1, 0.2]]))
    drawn = path_draws(ways, np.array([1.0, -1.0]), np.array([0.5, 0.5]))

    assert drawn[:, 0] == pytest.approx([100 * math.exp(0.1), 100 * math.exp(0.2)])
    assert drawn[:, 1] == pytest.approx([100 * math.exp(-0.1), 100 * math.exp(-0.2)])
