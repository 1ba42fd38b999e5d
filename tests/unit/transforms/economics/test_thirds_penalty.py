"""The price of imbalance."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.economics.spend.thirds_penalty import penalty_ratio, saved_ratio, shares

EQUAL = np.full(3, 1 / 3)


@pytest.mark.parametrize(
    ("spends", "percent"),
    [
        ((33, 33, 33), 0.0),
        ((45, 35, 20), 5.6),
        ((25, 25, 50), 5.8),
        ((20, 20, 60), 15.6),
        ((60, 10, 30), 27.0),
        ((10, 10, 80), 67.0),
    ],
)
def test_equal_thirds_cost_what_the_heuristic_says(spends: tuple[int, int, int], percent: float) -> None:
    assert round(float(penalty_ratio(np.array(spends, dtype=float), EQUAL)) * 100, 1) == pytest.approx(percent, abs=0.3)


def test_two_phases_by_hand() -> None:
    # shares 0.8 and 0.2 against one half each: sqrt(0.5/0.8 × 0.5/0.2) = sqrt(1.5625) = 1.25
    penalty = penalty_ratio(np.array([0.0, 80.0, 20.0]), np.array([0.0, 0.5, 0.5]))
    assert float(penalty) == pytest.approx(0.25)
    # the same quality for 1/1.25 of the money: a fifth saved
    assert float(saved_ratio(penalty)) == pytest.approx(0.2)


def test_the_penalty_is_zero_at_any_target_and_only_there() -> None:
    target = np.array([0.3, 0.2, 0.5])
    assert float(penalty_ratio(7 * target, target)) == 0.0
    assert float(penalty_ratio(np.array([0.3001, 0.2, 0.4999]), target)) > 0


def test_a_missing_phase_has_no_finite_penalty() -> None:
    assert np.isposinf(penalty_ratio(np.array([0.0, 5.0, 5.0]), EQUAL))
    assert float(saved_ratio(np.array(np.inf))) == 1.0


def test_nothing_spent_is_not_a_number() -> None:
    assert np.isnan(penalty_ratio(np.zeros(3), EQUAL))


def test_a_phase_in_credit_counts_as_nothing() -> None:
    assert shares(np.array([-5.0, 30.0, 10.0]), EQUAL).tolist() == [0.0, 0.75, 0.25]
