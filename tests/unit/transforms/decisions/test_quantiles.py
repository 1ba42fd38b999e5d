"""Quantiles of draws: what a reader would get from numpy, sooner."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.decisions.law.architectures import buildable, nearest
from transforms.decisions.quantiles import median, medians, ninth_decile, percentiles


@pytest.mark.parametrize("count", [1, 2, 3, 10, 101, 1000, 2000])
def test_percentiles_are_bit_for_bit_those_of_numpy(count: int) -> None:
    draws = np.random.default_rng(count).lognormal(0, 3, (20, count))
    assert (percentiles(draws) == np.quantile(draws, [0.1, 0.5, 0.9], axis=-1)).all()
    assert (medians(draws) == np.median(draws, axis=1)).all()
    assert (ninth_decile(draws) == percentiles(draws)[2]).all()


def test_the_middle_of_an_even_number_lies_between_the_two_middle_ones() -> None:
    # 1, 2, 4, 8: between 2 and 4
    assert median(np.array([8.0, 1.0, 4.0, 2.0])) == 3


def test_draws_that_never_break_even_have_no_finite_middle() -> None:
    assert median(np.array([1.0, np.inf, np.inf])) == np.inf


@pytest.mark.parametrize("params", [1e9, 8.03e9, 70.6e9, 4.05e11])
def test_the_nearest_shape_is_the_most_usual_one_of_those_closest_in_size(params: float) -> None:
    shape = nearest(params)
    away = [abs(size / params - 1) // 0.03 for size, _ in buildable()]
    closest = [other for (_, other), steps in zip(buildable(), away, strict=True) if steps == min(away)]
    assert shape in closest
    assert abs(shape.width / shape.layers - 112) == min(abs(one.width / one.layers - 112) for one in closest)
