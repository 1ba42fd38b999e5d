"""RL runs: the sigmoid of reward by compute, what more of it brings, and when it is enough."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from transforms.decisions.runs.reward_forecasts import reward_forecasts, sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TableOf

NIGHT = dt.date(2026, 11, 21)


def reward(compute: Any, asymptote: float = 0.6, exponent: float = 1.5, midpoint: float = 400.0) -> Any:
    """From 0.1 to the asymptote, half of it at the midpoint."""
    return 0.1 + (asymptote - 0.1) / (1 + (midpoint / compute) ** exponent)


@pytest.fixture
def forecast(table_of: TableOf) -> Callable[..., dict[str, Any]]:
    """The row of one RL run that has logged `rewards` at every step, ten GPU-hours and 20 dollars each."""

    def build(rewards: Any, planned: int | None) -> dict[str, Any]:
        steps = len(rewards)
        run = {"run_id": "rl", "model_id": "m", "phase": "posttraining", "status": "running", "steps": steps}
        logged = [{"run_id": "rl", "name": "reward", "step": n + 1, "value": float(rewards[n])} for n in range(steps)]
        if planned is not None:
            logged.append({"run_id": "rl", "name": "max_steps", "step": 1, "value": float(planned)})
        row = reward_forecasts(
            table_of("settings", [{"as_of": NIGHT}]),
            table_of("training_runs", [run | {"gpu_seconds": steps * 36000.0}]),
            table_of("training_metrics", logged),
            table_of("models", [{"model_id": "m"}]),
            table_of("run_spend", [{"run_id": "rl", "effective_usd": Decimal(20 * steps)}]),
        )
        return row.row(0, named=True)

    return build


def test_the_asymptote_of_a_sigmoid_is_found_from_half_of_it() -> None:
    compute = np.arange(1.0, 801.0)
    fit = sigmoid(compute, reward(compute))

    assert fit is not None
    best = int(fit.weight.argmax())
    assert fit.asymptote[best] == pytest.approx(0.6, abs=0.02)
    assert fit.midpoint[best] == pytest.approx(400, rel=0.1)
    assert fit.exponent[best] == pytest.approx(1.5, rel=0.1)


def test_the_asymptote_lies_within_its_interval_though_rewards_are_noisy() -> None:
    dice, held = np.random.default_rng(3), 0
    compute = np.arange(1.0, 801.0)
    for _ in range(20):
        fit = sigmoid(compute, reward(compute) + dice.normal(0, 0.02, compute.size))
        assert fit is not None
        order = np.argsort(fit.asymptote)
        reached = fit.weight[order].cumsum()
        low, high = (fit.asymptote[order][int(np.searchsorted(reached, level))] for level in (0.1, 0.9))
        held += int(low <= 0.6 <= high)
    assert held >= 13


def test_a_run_that_still_gains_goes_on_and_says_what_a_dollar_brings(forecast: Callable[..., dict[str, Any]]) -> None:
    row = forecast(reward(np.arange(1.0, 401.0)), planned=800)

    assert (row["verdict"], row["reason_code"]) == ("continue", "still_gaining")
    # at the midpoint the slope is (A − R0)·B / (4·C_mid) = 0.5 × 1.5 / 1600 a step of 20 dollars
    assert row["reward_per_usd"] == pytest.approx(0.5 * 1.5 / 1600 / 20, rel=0.1)
    assert float(row["remaining_usd"]) == pytest.approx(8000)
    assert row["final_reward_p50"] == pytest.approx(reward(800.0), abs=0.02)


def test_a_run_that_is_saturated_stops(forecast: Callable[..., dict[str, Any]]) -> None:
    row = forecast(reward(np.arange(1.0, 401.0), exponent=3.0, midpoint=40.0), planned=800)

    assert (row["verdict"], row["reason_code"]) == ("stop", "saturated")
    assert row["gained_ratio"] > 0.98


def test_a_reward_that_falls_off_its_curve_is_rolled_back(forecast: Callable[..., dict[str, Any]]) -> None:
    rewards = reward(np.arange(1.0, 401.0))
    rewards[-20:] = 0.1

    assert forecast(rewards, planned=800)["reason_code"] == "below_curve"


def test_an_unknown_length_is_not_guessed(forecast: Callable[..., dict[str, Any]]) -> None:
    row = forecast(reward(np.arange(1.0, 401.0)), planned=None)

    assert (row["verdict"], row["reason_code"], row["remaining_usd"]) == ("unknown", "length_unknown", None)
