"""Published figures of scaling laws, from public data and from the formulas alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from transforms.compute import CHIPS
from transforms.decisions.law.distillation import distilled_loss, supervised_loss
from transforms.decisions.law.law_fit import BOOTSTRAPS, Fits, Points, bootstrap, fit
from transforms.decisions.law.laws import PUBLIC_TOKENS_PER_PARAM, PUBLISHED, Law, serving_flop, training_flop
from transforms.decisions.law.lifetime_optimum import (
    compute_optimal_tokens,
    equal_split_demand_ratio,
    lifetime_optimum_of,
)
from transforms.decisions.law.scaling_law import _COVARIANCE
from transforms.decisions.portfolio.whatif import life_cost
from transforms.decisions.randomness import generator
from transforms.decisions.runs.run_tails import Curve, forecast_errors, half_width, tail_loss
from transforms.decisions.supply.roofline import Shape, critical_batch, kv_bytes_per_token

# Sardana et al. 2024 (arXiv:2401.00448) state their law with these constants.
SARDANA = Law(1.69, 406.4, 410.7, 0.336, 0.283)
EPOCH = PUBLISHED["epoch"].law
HOFFMANN = PUBLISHED["hoffmann"].law


def points(rows: pl.DataFrame, params: str, tokens: str, loss: str) -> Points:
    """Three columns as points."""
    return Points(*(rows.get_column(name).cast(pl.Float64).to_numpy() for name in (params, tokens, loss)))


@pytest.fixture(scope="session")
def figure_4(shared: Path) -> Points:
    """Hoffmann's figure 4 as digitised by Epoch AI: 245 points, the smallest loss first."""
    rows = pl.read_csv(shared / "data" / "scaling_laws" / "epoch_chinchilla_245.csv").sort("loss")
    rows = rows.with_columns((pl.col("Training FLOP") / (6 * pl.col("Model Size"))).alias("tokens"))
    return points(rows, "Model Size", "tokens", "loss")


@pytest.fixture(scope="session")
def chinchilla(figure_4: Points) -> Points:
    """The same without the five highest losses, which Besiroglu et al. drop."""
    return Points(figure_4.params[:240], figure_4.tokens[:240], figure_4.loss[:240])


@pytest.fixture(scope="session")
def resampled(chinchilla: Points) -> Fits:
    """4,000 bootstrap fits: some ten seconds."""
    return bootstrap(chinchilla, BOOTSTRAPS, generator(date(1970, 1, 1), "test"))


def test_the_public_points_give_the_law_of_least_objective(chinchilla: Points) -> None:
    # Besiroglu et al. 2024 (arXiv:2404.10102) found E 1.82, A 482, B 2085; the objective's true minimum is nearby.
    found = fit(chinchilla)

    assert found.objective.item() <= 0.0010183
    assert found.law.E.item() == pytest.approx(1.8172, abs=5e-5)
    assert found.law.A.item() == pytest.approx(477.8, abs=0.1)
    assert found.law.B.item() == pytest.approx(2143, abs=1)
    assert found.law.alpha.item() == pytest.approx(0.34731, abs=5e-6)
    assert found.law.beta.item() == pytest.approx(0.36717, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "standard_error"),
    [("E", 0.0257), ("A", 124.5), ("B", 1293), ("alpha", 0.0154), ("beta", 0.0206)],
)
def test_the_bootstrap_finds_the_published_standard_errors(resampled: Fits, name: str, standard_error: float) -> None:
    # The standard error of a standard error of 4,000 draws is 1.1 %, more for the skewed A and B.
    assert np.std(getattr(resampled.law, name)) == pytest.approx(standard_error, rel=0.06)


def test_the_spread_that_published_laws_borrow_is_that_of_the_public_points(resampled: Fits) -> None:
    law = resampled.law
    logs = np.stack([np.log(law.E), np.log(law.A), np.log(law.B), law.alpha, law.beta])

    assert np.sqrt(np.diag(_COVARIANCE)) == pytest.approx(np.sqrt(np.diag(np.cov(logs))), rel=0.08)


def test_the_range_of_tokens_per_parameter_is_that_of_the_public_points(figure_4: Points) -> None:
    ratio = figure_4.tokens / figure_4.params

    assert (round(ratio.min(), 2), round(ratio.max())) == PUBLIC_TOKENS_PER_PARAM
    assert np.quantile(ratio, 0.99) == pytest.approx(247, abs=1)


@pytest.mark.parametrize("corpus", ["c4_original", "rpj", "rw_original"])
def test_small_runs_predict_the_large_ones_held_out(shared: Path, corpus: str) -> None:
    # Gadre et al. 2024 (arXiv:2403.08540): 11M–412M parameters predict 1.4B and 6.9B, up to 300 times the compute.
    runs = pl.read_csv(shared / "data" / "scaling_laws" / "gadre_overtraining_runs.csv")
    runs = runs.filter(pl.col("train_dataset") == corpus)
    small, large = (
        points(part, "params", "tokens", "loss_openlm")
        for part in (runs.filter(pl.col("params") < 1e9), runs.filter(pl.col("params") >= 1e9))
    )
    error = fit(small).law.loss(large.params, large.tokens) / large.loss - 1

    assert small.loss.size >= 31
    assert np.median(np.abs(error)) < 0.03
    assert np.abs(error).max() < 0.065


def test_opt_curves_to_seven_billion_predict_thirteen_to_175_billion(shared: Path) -> None:
    # Learning curves of OPT (Zhang et al. 2022) as collected by ColPret; tokens are log10, the loss is ln(perplexity).
    curves = pl.read_csv(shared / "data" / "scaling_laws" / "opt_trajectories.csv")
    scale = pl.when(pl.col("model_size").str.ends_with("b")).then(1e9).otherwise(1e6)
    curves = curves.with_columns(
        (pl.col("model_size").str.head(-1).cast(pl.Float64) * scale).alias("params"),
        (10 ** pl.col("num_token")).alias("tokens"),
        pl.col("ppl").log().alias("loss"),
    ).sort("params", "tokens")
    small = curves.filter(pl.col("params") < 7e9)
    large = curves.filter(pl.col("params") > 7e9).group_by("params", maintain_order=True).last()
    law, held_out = fit(points(small, "params", "tokens", "loss")).law, points(large, "params", "tokens", "loss")

    assert held_out.params.tolist() == [13e9, 30e9, 175e9]
    assert np.abs(law.loss(held_out.params, held_out.tokens) / held_out.loss - 1).max() < 0.02


def test_seven_billion_quality_for_a_hundred_billion_tokens_is_six_billion() -> None:
    # Sardana et al. 2024: a compute-optimal 7B that serves 1e11 tokens should have been 6.00B on 1.18 times the data.
    tokens = SARDANA.compute_optimal(6 * 7e9 * _optimal_tokens(SARDANA, 7e9))[1]
    best = lifetime_optimum_of(SARDANA, SARDANA.loss(7e9, tokens), 1e11)

    assert float(best.params) == pytest.approx(6.00e9, rel=1e-3)
    assert float(best.tokens / tokens) == pytest.approx(1.18, abs=0.005)


def test_thirteen_billion_quality_on_a_fixed_seven_billion_saves_a_sixth() -> None:
    # Sardana et al. 2024: 2e12 tokens served; a 7B on 2.15 times the data of the 13B needs 17.4 % fewer FLOP.
    tokens = _optimal_tokens(SARDANA, 13e9)
    more = float(SARDANA.tokens_for(SARDANA.loss(13e9, tokens), 7e9))
    before = training_flop(13e9, tokens) + serving_flop(13e9, 2e12)
    after = training_flop(7e9, more) + serving_flop(7e9, 2e12)

    assert more / tokens == pytest.approx(2.15, abs=0.005)
    assert 1 - after / before == pytest.approx(0.174, abs=0.001)


def _optimal_tokens(law: Law, params: float) -> float:
    """Tokens on which a model of `params` is compute-optimal, by bisection of the budget."""
    low, high = 1e15, 1e32
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if law.compute_optimal(middle)[0] < params else (low, middle)
    return float(law.compute_optimal(low)[1])


@pytest.mark.parametrize(("law", "ratio"), [(EPOCH, 9.30), (HOFFMANN, 11.35)])
def test_training_and_serving_cost_the_same_at_one_demand(law: Law, ratio: float) -> None:
    loss = law.loss(1e10, 2e11)
    demand = equal_split_demand_ratio(law) * compute_optimal_tokens(law, loss)
    best = lifetime_optimum_of(law, loss, demand)

    assert equal_split_demand_ratio(law) == pytest.approx(ratio, abs=0.005)
    assert training_flop(best.params, best.tokens) == pytest.approx(serving_flop(best.params, demand))


@pytest.mark.parametrize(("law", "low", "high"), [(EPOCH, 3.6, 43), (HOFFMANN, 3.9, 68)])
def test_an_equal_split_is_near_the_optimum_in_a_band_of_demand(law: Law, low: float, high: float) -> None:
    params, tokens = law.compute_optimal(1e23)
    loss, ratios = law.loss(params, tokens), np.geomspace(1.5, 300, 4001)
    demand = ratios * tokens
    best = lifetime_optimum_of(law, loss, demand)
    least = training_flop(best.params, best.tokens) + serving_flop(best.params, demand)
    # Training equals serving where 6·N·D = 2·N·T, so D = T/3, and the loss gives N.
    left = loss - law.E - law.B / (demand / 3) ** law.beta
    equal = 2 * serving_flop((law.A / np.maximum(left, 1e-9)) ** (1 / law.alpha), demand)
    within = ratios[equal <= 1.1 * least]

    assert within.min() == pytest.approx(low, abs=0.05)
    assert within.max() == pytest.approx(high, abs=0.6)


def test_retraining_pays_against_a_sunk_incumbent_from_seven_and_a_half_times_its_data() -> None:
    params, tokens = EPOCH.compute_optimal(1e23)
    ratios = np.geomspace(2, 30, 4001)
    best = lifetime_optimum_of(EPOCH, EPOCH.loss(params, tokens), ratios * tokens)
    gain = serving_flop(params, ratios * tokens) - (
        training_flop(best.params, best.tokens) + serving_flop(best.params, ratios * tokens)
    )

    assert ratios[gain > 0].min() == pytest.approx(7.5, abs=0.05)


def test_a_distilled_student_is_predicted_as_published() -> None:
    # Busbridge et al. 2025 (arXiv:2502.08606): teacher 7.75B on 512B tokens; student 1B on 20B tokens.
    teacher = supervised_loss(7.75e9, 512e9)

    assert teacher == pytest.approx(1.933, abs=5e-4)
    assert distilled_loss(teacher, 1e9, 20e9) == pytest.approx(2.268, abs=5e-4)
    assert supervised_loss(1e9, 20e9) == pytest.approx(2.375, abs=5e-4)


@pytest.mark.parametrize(
    ("chip", "ridge"), [("A100", 153), ("H100", 295), ("H200", 206), ("B200", 292), ("MI300X", 247)]
)
def test_the_ridge_of_each_chip_is_its_peak_over_its_bandwidth(chip: str, ridge: float) -> None:
    assert round(CHIPS[chip].ridge_flop_per_byte) == ridge


def test_llama_3_8b_keeps_131072_bytes_per_token_of_context() -> None:
    assert kv_bytes_per_token(layers=32, kv_heads=8, head_width=128, element_bytes=2) == 131_072


def test_a_batch_saturates_an_h100_at_three_hundred_times_the_sparsity() -> None:
    sparse = Shape(params=8e11, active_params=1e11, kv_bytes_per_token=0)

    assert critical_batch(CHIPS["H100"], sparse) == pytest.approx(295 * 8, rel=0.01)


def test_a_smaller_model_on_more_data_costs_a_third_over_its_life() -> None:
    # 10B: 500,000 + 1e11 × 0.01 cents = 10.5 million; 3B on 600B tokens: 600,000 + 1e11 × 0.003 cents = 3.6 million.
    requests = 1e11
    large = life_cost(500_000, 0.01 / 100, requests)
    small = life_cost(600_000, 0.003 / 100, requests)

    assert (large, small, large - small) == pytest.approx((10.5e6, 3.6e6, 6.9e6))


@pytest.fixture(scope="session")
def learning_curves(shared: Path) -> list[Curve]:
    """Runs of 2.8B–8.7B parameters on repeated data (Muennighoff et al. 2023, as collected by ColPret)."""
    rows = pl.read_csv(shared / "data" / "scaling_laws" / "datablations_losses.csv").sort("token_num")
    parts = rows.partition_by("data", "epochs", "num_params", "tokens_per_epoch", "checkpoint", maintain_order=True)
    long = [part for part in parts if part.height >= 40]
    return [
        Curve(*(part.get_column(name).cast(pl.Float64).to_numpy() for name in ("token_num", "loss"))) for part in long
    ]


@pytest.mark.parametrize(("seen", "median_error"), [(0.5, 0.01), (0.7, 0.005), (0.9, 0.005)])
def test_the_end_of_real_learning_curves_is_forecast_and_the_interval_keeps_its_promise(
    learning_curves: list[Curve], seen: float, median_error: float
) -> None:
    errors = forecast_errors(learning_curves, seen)
    widths = [half_width(np.delete(errors, left_out)) for left_out in range(errors.size)]

    assert errors.size >= 40
    assert np.median(np.abs(errors)) < median_error
    assert np.mean(np.abs(errors) <= np.array(widths, dtype=float)) == pytest.approx(0.8, abs=0.05)


def test_what_a_curve_misses_itself_by_says_too_little_about_its_end(learning_curves: list[Curve]) -> None:
    # The noise of a curve's last losses, taken for an interval of 80 %, covers far fewer of the ends.
    covered = []
    for curve in learning_curves:
        seen = curve.until(0.5)
        expected = tail_loss(seen, float(curve.tokens[-1]))
        assert expected is not None
        noise = np.quantile(np.abs(np.log(seen.loss[-20:] / seen.loss[-20:].mean())), 0.8)
        covered.append(abs(np.log(curve.loss[-5:].mean() / expected)) <= noise)

    assert np.mean(covered) < 0.75
