"""What a scaling law says about models as they are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from transforms.economics.scaling.scaling_evidence import scaling_evidence, two_phase_balance
from transforms.economics.scaling.two_phase import Curve

NIGHT = date(2025, 5, 16)
EPOCH = {"law_id": "epoch", "is_chosen": True, "E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


@pytest.mark.parametrize(
    ("curve", "equal", "low", "high"),
    [(Curve(0.3478, 0.3658), 9.30, 3.6, 43), (Curve(0.34, 0.28), 11.35, 3.9, 68)],
    ids=["epoch", "hoffmann"],
)
def test_equal_spend_is_optimal_at_one_demand_and_plausible_around_it(
    curve: Curve, equal: float, low: float, high: float
) -> None:
    assert curve.training_ratio(curve.optimum(equal)) == pytest.approx(0.5, abs=2e-4)
    assert curve.equal_excess(equal) == pytest.approx(0, abs=1e-6)
    for edge in (low, high):
        assert curve.equal_excess(edge) == pytest.approx(0.1, abs=0.012)


def test_without_demand_the_compute_optimum_is_best() -> None:
    curve = Curve(0.3478, 0.3658)
    assert curve.optimum(0.0) == curve.optimal_data_share
    assert curve.training_ratio(curve.optimal_data_share) == pytest.approx(1.0)
    assert curve.equal_excess(0.1) is None


def test_no_other_split_of_the_loss_is_cheaper_than_the_optimum() -> None:
    curve = Curve(0.3478, 0.3658)
    for demand in (0.5, 3.0, 9.3, 100.0):
        best = curve.relative_cost(curve.optimum(demand), demand)
        tried = [curve.relative_cost(share, demand) for share in np.linspace(0.01, 0.99, 199)]
        assert best <= min(tried) + 1e-9


def trained(rows: Any, **given: Any) -> dict[str, Any]:
    """An own model of 1e9 parameters on 2e10 tokens, at 2e-18 USD per FLOP of training and 6e-18 of serving."""
    models = rows("models", {"model_id": "m", "origin": "own", "training_tokens": 2e10, **given})
    compute = rows(
        "phase_compute",
        {"model_id": "m", "phase": "pretraining", "active_params": 1e9, "usd_per_flop": 2e-18},
        {"model_id": "m", "phase": "inference", "active_params": 1e9, "usd_per_flop": 6e-18, "tokens": 3e10},
    )
    return {"models": models, "phase_compute": compute, "scaling_law": rows("scaling_law", EPOCH)}


def test_demand_counts_in_training_equivalent_tokens(rows: Any, night: Any) -> None:
    tables = trained(rows)
    ahead = {"known_on": NIGHT + timedelta(days=1), "model_id": "m", "quantity": "tokens", "expected_p50": 7e10}
    found = two_phase_balance(**tables, expected_service=rows("expected_service", ahead), settings=night(NIGHT))
    row = found.row(0, named=True)
    # 3e10 served and 7e10 to come at three times the price of a FLOP: 3e11 training-equivalent tokens
    assert (row["lifetime_tokens"], row["price_ratio"], row["demand_tokens"]) == (
        1e11,
        pytest.approx(3),
        pytest.approx(3e11),
    )
    # reducible loss 482.01/1e9^0.3478 + 2085.43/2e10^0.3658 = 0.3571 + 0.3557; D0 where data has 0.3478/0.7136 of it
    assert row["loss"] == pytest.approx(1.8172 + 0.3571 + 0.3557, abs=2e-4)
    assert row["optimal_tokens"] == pytest.approx((2085.43 / (0.3478 / 0.7136 * 0.7128)) ** (1 / 0.3658), rel=2e-3)
    assert row["demand_ratio"] == pytest.approx(3e11 / row["optimal_tokens"])
    assert row["is_equal_plausible"] is (3.6 <= row["demand_ratio"] <= 43)


def test_without_prices_the_demand_is_unknown(rows: Any, night: Any) -> None:
    tables = trained(rows)
    tables["phase_compute"] = tables["phase_compute"].with_columns(usd_per_flop=None)
    row = two_phase_balance(**tables, expected_service=rows("expected_service"), settings=night(NIGHT)).row(
        0, named=True
    )
    assert (row["lifetime_tokens"], row["demand_ratio"], row["is_equal_plausible"]) == (3e10, None, None)


def test_over_training_is_measured_against_the_same_compute(rows: Any, night: Any) -> None:
    row = scaling_evidence(**trained(rows), settings=night(NIGHT)).row(0, named=True)
    assert row["tokens_per_param"] == 20
    assert row["optimal_params"] * row["optimal_tokens"] == pytest.approx(1e9 * 2e10)
    assert row["overtrain_ratio"] == pytest.approx((1e9 / row["optimal_params"]) ** -2)


def test_the_next_percent_of_loss_has_a_price(rows: Any, night: Any) -> None:
    row = scaling_evidence(**trained(rows), settings=night(NIGHT)).row(0, named=True)
    # 0.99 × 0.7128 − 0.3571 must come from data: D = (2085.43 / 0.3486)^(1/0.3658), a few percent more than 2e10
    more = (2085.43 / (0.99 * row["reducible_loss"] - 482.01 / 1e9**0.3478)) ** (1 / 0.3658) - 2e10
    assert row["more_tokens"] == pytest.approx(more)
    assert 1e9 < more < 2e9
    assert float(row["more_tokens_usd"]) == pytest.approx(6 * 1e9 * more * 2e-18, abs=1e-5)
    # along the optimum R ∝ C^(−αβ/(α+β)) = C^−0.1783: 0.99^(−1/0.1783) = 5.8 % more compute
    assert row["more_compute_flop"] == pytest.approx(6 * 1e9 * 2e10 * (0.99 ** (-1 / 0.17829) - 1), rel=1e-3)


def test_a_model_near_the_floor_of_its_size_cannot_buy_the_next_percent_with_data(rows: Any, night: Any) -> None:
    row = scaling_evidence(**trained(rows, training_tokens=1e16), settings=night(NIGHT)).row(0, named=True)
    assert (row["more_tokens"], row["more_tokens_usd"]) == (None, None)


def test_adopted_models_and_unknown_sizes_have_no_evidence(rows: Any, night: Any) -> None:
    assert scaling_evidence(**trained(rows, origin="adopted"), settings=night(NIGHT)).is_empty()
    assert scaling_evidence(**trained(rows, training_tokens=None), settings=night(NIGHT)).is_empty()


def test_without_a_chosen_law_nothing_is_said(rows: Any, night: Any) -> None:
    tables = trained(rows) | {"scaling_law": rows("scaling_law", {**EPOCH, "is_chosen": False})}
    assert scaling_evidence(**tables, settings=night(NIGHT)).is_empty()


def test_beyond_the_points_of_the_law_is_said(rows: Any, night: Any) -> None:
    tables = trained(rows) | {"scaling_law": rows("scaling_law", {**EPOCH, "tokens_per_param_max": 19.0})}
    assert scaling_evidence(**tables, settings=night(NIGHT))["is_extrapolated"].to_list() == [True]


def test_ten_times_the_compute_has_a_loss_and_a_price(rows: Any, night: Any) -> None:
    row = scaling_evidence(**trained(rows), settings=night(NIGHT)).row(0, named=True)
    # 1.2e20 FLOP at 2e-18 cost $240; ten times that is $2,400, and the reducible loss falls by 10^−0.1783
    assert float(row["tenfold_usd"]) == pytest.approx(2400)
    assert row["tenfold_loss"] - 1.8172 == pytest.approx((row["optimal_loss"] - 1.8172) * 10**-0.17829, rel=1e-4)
    assert row["optimal_loss"] <= row["loss"]


def test_what_the_law_says_a_model_costs_beyond_its_optimum(rows: Any, night: Any) -> None:
    # at the compute optimum a demand of 9.3 D0 asks for a smaller model: 1 + 9.3/3 = 4.1 units against the optimum's
    curve = Curve(0.3478, 0.3658)
    best = curve.relative_cost(curve.optimum(9.3), 9.3)
    tables = trained(rows)
    size, data = 1e9, 2e10
    found = two_phase_balance(**tables, expected_service=rows("expected_service"), settings=night(NIGHT))
    row = found.row(0, named=True)
    share = 2085.43 / data**0.3658 / (482.01 / size**0.3478 + 2085.43 / data**0.3658)
    ratio = row["demand_ratio"]
    now = curve.relative_cost(share, ratio) / curve.relative_cost(curve.optimum(ratio), ratio) - 1
    assert row["law_excess_ratio"] == pytest.approx(now, rel=1e-6)
    assert curve.relative_cost(curve.optimal_data_share, 9.3) / best > 1.1
