"""Laws that hold for every company, law and demand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.decisions.actions.gpu_changes import ramp
from transforms.decisions.law.batched_bfgs import minimise
from transforms.decisions.law.distillation import distilled_loss, supervised_loss
from transforms.decisions.law.law_fit import Points, fit
from transforms.decisions.law.laws import Law, repeated_tokens_value, serving_flop, tokens_to_train_on, training_flop
from transforms.decisions.law.lifetime_optimum import lifetime_optimum_of
from transforms.decisions.supply.fleet import PoolDemand, PoolSupply

LAWS = st.builds(
    Law,
    E=st.floats(0.5, 2.5),
    A=st.floats(50, 2000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)
SIZES = st.floats(1e8, 1e12)
RATIOS = st.floats(1, 500)


def cost(law: Law, loss: float, params: float, demand: float) -> float:
    """Training and serving one size at the loss."""
    return float(training_flop(params, law.tokens_for(loss, params)) + serving_flop(params, demand))


@given(LAWS, SIZES, RATIOS, st.floats(0, 1e4))
def test_the_optimum_keeps_the_loss_and_no_size_nearby_is_cheaper(
    law: Law, size: float, ratio: float, much: float
) -> None:
    loss, demand = float(law.loss(size, ratio * size)), much * ratio * size
    best = lifetime_optimum_of(law, loss, demand)
    least = cost(law, loss, float(best.params), demand)

    assert float(law.loss(best.params, best.tokens)) == pytest.approx(loss, rel=1e-9)
    for nearby in (0.97, 1.03):
        assert cost(law, loss, float(best.params) * nearby, demand) >= least * (1 - 1e-9)


@given(LAWS, SIZES, RATIOS, st.floats(0.01, 1e3))
def test_more_demand_never_asks_for_a_larger_model_or_less_data(
    law: Law, size: float, ratio: float, much: float
) -> None:
    loss, demand = float(law.loss(size, ratio * size)), much * ratio * size
    few, many = (lifetime_optimum_of(law, loss, factor * demand) for factor in (1, 2))

    assert many.params <= few.params * (1 + 1e-9)
    assert many.tokens >= few.tokens * (1 - 1e-9)


@given(LAWS, SIZES, RATIOS)
def test_without_demand_the_optimum_is_compute_optimal(law: Law, size: float, ratio: float) -> None:
    loss = float(law.loss(size, ratio * size))
    best = lifetime_optimum_of(law, loss, 0.0)
    params, tokens = law.compute_optimal(6 * best.params * best.tokens)

    assert float(params) == pytest.approx(float(best.params), rel=1e-6)
    assert float(tokens) == pytest.approx(float(best.tokens), rel=1e-6)


@given(st.floats(1e9, 1e13), st.floats(0.1, 15))
def test_repeating_is_undone_by_its_inverse(unique: float, multiple: float) -> None:
    fresh = float(repeated_tokens_value(multiple * unique, unique))

    assert fresh <= multiple * unique * (1 + 1e-12)
    assert float(tokens_to_train_on(fresh, unique)) == pytest.approx(multiple * unique, rel=1e-6)


@settings(max_examples=15)
@given(
    st.builds(
        Law,
        E=st.floats(1, 2),
        A=st.floats(100, 1000),
        B=st.floats(100, 1000),
        alpha=st.floats(0.25, 0.45),
        beta=st.floats(0.25, 0.45),
    )
)
def test_a_fit_to_exact_losses_finds_their_law(law: Law) -> None:
    params, ratios = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(2, 200, 6)))
    found = fit(Points(params, ratios * params, law.loss(params, ratios * params))).law

    assert found.E.item() == pytest.approx(law.E, rel=0.02)
    assert found.alpha.item() == pytest.approx(law.alpha, abs=0.01)
    assert found.beta.item() == pytest.approx(law.beta, abs=0.01)


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_a_fit_does_not_depend_on_the_order_of_its_points(seed: int) -> None:
    dice = np.random.default_rng(seed)
    params, ratios = dice.uniform(1e8, 1e10, 30), dice.uniform(5, 100, 30)
    loss = Law(1.8, 480, 2000, 0.35, 0.37).loss(params, ratios * params) * np.exp(dice.normal(0, 0.005, 30))
    order = dice.permutation(30)
    first = fit(Points(params, ratios * params, loss))
    second = fit(Points(params[order], (ratios * params)[order], loss[order]))

    assert first.objective.item() == pytest.approx(second.objective.item(), rel=1e-4)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 50)), min_size=1, max_size=6))
def test_many_parabolas_are_minimised_at_once(wells: list[tuple[float, float]]) -> None:
    centres, widths = (np.array(column) for column in zip(*wells, strict=True))
    points, values = minimise(
        lambda x, rows: (
            widths[rows] * (x[:, 0] - centres[rows]) ** 2,
            2 * (widths[rows] * (x[:, 0] - centres[rows]))[:, None],
        ),
        np.zeros((len(wells), 1)),
        1e-12,
    )

    assert points[:, 0] == pytest.approx(centres, abs=1e-3)
    assert values == pytest.approx(np.zeros(len(wells)), abs=1e-4)


@given(st.floats(0.1, 60), st.floats(0, 12), st.floats(0.1, 12), st.floats(0, 80))
def test_traffic_moves_within_the_months_that_are_left(months: float, lead: float, move: float, stop: float) -> None:
    shares = ramp(months, lead, move, stop)

    assert (shares >= -1e-12).all()
    assert (shares <= 1 + 1e-12).all()
    assert shares.sum() <= max(min(months, stop) - lead, 0) + 1e-9


GPUS = st.lists(st.floats(0, 200), min_size=3, max_size=3)


@given(GPUS, GPUS, GPUS, st.floats(0, 5), st.floats(0, 0.5), st.floats(0.1, 9))
def test_more_demand_never_costs_less_and_no_reduction_saves_more_than_is_paid(
    owned: list[float], committed: list[float], renewable: list[float], renewal: float, power: float, dear: float
) -> None:
    columns = [np.array(values)[:, None] for values in (owned, committed, renewable)]
    supply = PoolSupply(
        *columns, np.full((3, 1), renewal), columns[0] + columns[1], np.zeros((3, 1)), power, dear
    )  # fmt: skip
    demands = np.linspace(0, 500, 26)[None, :].repeat(3, axis=0)
    usd = supply.avoidable_usd(demands)

    assert (np.diff(usd, axis=1) >= -1e-6).all()
    assert (usd >= -1e-9).all()
    # up to what is owned or committed only power is paid
    within = demands <= columns[0] + columns[1]
    assert (usd[within] <= power * np.minimum(demands, columns[0])[within] * 730.5 * (1 + 1e-9) + 1e-6).all()


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0, 300), st.floats(-300, 300))
def test_what_a_change_frees_is_paid_again_when_it_comes_back(
    users: float, idle: float, committed: float, change: float
) -> None:
    flat = np.full((1, 1), 1.0)
    supply = PoolSupply(0 * flat, committed * flat, 0 * flat, flat, flat, 0 * flat, 0.0, 2.0)
    before = PoolDemand(users * flat, idle * flat, supply)
    after = before.changed(change * flat)

    # more demand is first taken from what stands idle; fewer GPUs save at most their own price
    saved = float((before.avoidable_usd - after.avoidable_usd)[0, 0])
    assert saved <= 2.0 * 730.5 * max(-change, 0) + 1e-6
    assert saved >= -2.0 * 730.5 * max(change - idle, 0) - 1e-6


@given(st.floats(1e9, 1e12), st.floats(5, 500), st.floats(0.01, 0.5), st.floats(5, 100))
def test_a_student_is_never_predicted_better_than_its_teacher(
    size: float, ratio: float, share: float, data: float
) -> None:
    teacher = float(supervised_loss(size, ratio * size))

    assert float(distilled_loss(teacher, share * size, data * share * size)) > teacher
