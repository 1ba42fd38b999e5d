"""Demand over a life: growth and decline go on as far as past errors support it, and intervals hold what comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from bench.demand import held_out, weekly
from bench.demand_shapes import SHAPES, demand
from transforms.demand_growth import paths_of
from transforms.economics.amortization.model_lives import expected_service
from transforms.economics.forecast.demand_paths import demand_accuracy, demand_paths
from transforms.economics.forecast.demand_states import demand_states
from transforms.economics.spend.service import production_units

NIGHT = date(2026, 11, 22)
TOMORROW = NIGHT + timedelta(days=1)
KEY = {"known_on": TOMORROW, "model_id": "m", "quantity": "tokens"}


@pytest.fixture
def company(rows: Any, night: Any) -> Callable[..., dict[str, pl.DataFrame]]:
    """The tables of a company with one model, from its tokens of the days up to the night and what each day costs."""

    def build(tokens: list[float], costs: list[float] | None = None) -> dict[str, pl.DataFrame]:
        first = NIGHT - timedelta(days=len(tokens) - 1)
        paid = costs or [0.0] * len(tokens)
        served = rows(
            "daily_service",
            *(
                {"day": first + timedelta(days=n), "model_id": "m", "requests": 1, "input_tokens": round(value)}
                | {"inference_usd": Decimal(round(cost))}
                for n, (value, cost) in enumerate(zip(tokens, paid, strict=True))
            ),
        )
        return {
            "estimate_days": rows("estimate_days", {"known_on": TOMORROW}),
            "daily_service": served,
            "production_units": production_units(served),
            "daily_spend": rows("daily_spend"),
            "settings": night(NIGHT),
        }

    return build


def paths(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    names = ("estimate_days", "daily_service", "production_units", "daily_spend")
    found = demand_paths(*(tables[name] for name in names))
    return found.filter(pl.col("model_id") == "m", pl.col("quantity") == "tokens")


def mean_over(found: pl.DataFrame, days: float) -> float:
    """Tokens a day over the days ahead, the mean of the paths by their weights."""
    each = paths_of(found)
    zero = np.zeros((found.height, 1))
    return float((each.weight * each.total(zero, zero + days)[:, 0]).sum() / days)


def test_a_model_that_loses_a_fifth_a_month_goes_on_losing(company: Any) -> None:
    found = paths(company([1e9 * 0.8 ** (day / 30) for day in range(170)]))
    today = 1e9 * 0.8 ** (170 / 30)
    # 180 days at the same rate average (1 − 0.8⁶) / (6 · −ln 0.8) = 55 % of today
    assert 0.5 * today < mean_over(found, 180) < 0.65 * today
    assert found["weight_ratio"].sum() == pytest.approx(1)


def test_a_model_that_grows_is_not_levelled(company: Any) -> None:
    found = paths(company([1e9 * 1.006**day for day in range(200)]))
    # 0.6 % a day averages (e^(180·ln 1.006) − 1) / (180·ln 1.006) = 1.795 times today over 180 days
    assert 1.5 < mean_over(found, 180) / (1e9 * 1.006**200) < 1.9


def test_that_a_model_was_stopped_widens_nothing_of_those_that_go_on(company: Any) -> None:
    dice = np.random.default_rng(5)
    tables = company([1e9 * float(value) for value in np.exp(dice.normal(0, 0.05, 170))])
    stopped = tables["daily_service"].filter(pl.col("day") < NIGHT - timedelta(days=46))
    with_it = tables | {
        "daily_service": pl.concat([tables["daily_service"], stopped.with_columns(model_id=pl.lit("stopped"))])
    }
    each = [paths(tables), paths(with_it)]
    spreads = [float((found["sigma_180"] * found["weight_ratio"]).sum()) for found in each]

    assert spreads[1] < 1.5 * spreads[0]


def test_a_level_stays_where_it_is(company: Any) -> None:
    dice = np.random.default_rng(1)
    found = paths(company(list(1e9 * dice.lognormal(0, 0.1, 300))))
    assert mean_over(found, 180) == pytest.approx(1e9, rel=0.05)


def test_under_eight_full_weeks_no_path_is_told_from_another(company: Any) -> None:
    assert paths(company([1e9] * 55)).is_empty()
    assert not paths(company([1e9] * 63)).is_empty()


def test_a_model_that_stopped_has_no_path(company: Any) -> None:
    assert paths(company([1e9] * 100 + [0.0] * 29)).is_empty()


def test_what_comes_later_changes_nothing_that_was_known(company: Any) -> None:
    dice = np.random.default_rng(2)
    tokens = list(1e9 * dice.lognormal(0, 0.2, 400))
    known = paths(company(tokens[:300]))
    tables = company(tokens[:300] + [value * 9 for value in tokens[300:]])
    later = tables["daily_service"].with_columns(pl.col("day") + timedelta(days=100))
    assert paths(tables | {"daily_service": later}).equals(known)


def test_a_fleet_that_is_taken_down_is_evidence_of_decline(company: Any) -> None:
    dice = np.random.default_rng(3)
    tokens = list(1e9 * 0.997 ** np.arange(120) * dice.lognormal(0, 0.25, 120))
    kept, shrunk = (company(tokens, [1e4 * rate**day for day in range(120)]) for rate in (1.0, 0.994))
    assert mean_over(paths(shrunk), 180) < mean_over(paths(kept), 180)


def test_a_fleet_that_was_cut_once_is_no_evidence_of_further_decline(company: Any) -> None:
    dice = np.random.default_rng(5)
    # 142 days, of which the last 50 at half the demand, and the fleet was halved with it
    level = np.where(np.arange(142) < 92, 2e9, 1e9)
    tokens = list(level * dice.lognormal(0, 0.05, 142))
    untold, cut = (company(tokens, costs) for costs in (None, list(level / 1e5)))

    assert mean_over(paths(cut), 180) == pytest.approx(mean_over(paths(untold), 180))
    # seven weeks at 1e9 a day weigh more than the one step down before them
    assert 0.7e9 < mean_over(paths(cut), 180) < 1.1e9


def test_what_is_expected_to_the_end_of_service_follows_the_paths(company: Any, rows: Any) -> None:
    tables = company([1e9 * 0.8 ** (day / 30) for day in range(170)])
    names = ("estimate_days", "daily_service", "production_units", "daily_spend")
    states, ways = (function(*(tables[name] for name in names)) for function in (demand_states, demand_paths))
    lives = rows("model_lives", {"model_id": "m", "ends_on": TOMORROW + timedelta(days=364), "basis": "retires_on"})
    row = expected_service(states, ways, lives).filter(**KEY).row(0, named=True)
    today = 1e9 * 0.8 ** (170 / 30)
    # a year at the same rate adds up to (1 − 0.8^12.17) / (−ln 0.8 / 30) = 125.5 days of today; level it is 365
    assert 110 * today < row["expected_p50"] < 175 * today
    assert row["expected_p10"] < row["expected_p50"] < row["expected_p90"]


@pytest.fixture(scope="module")
def coverage() -> dict[str, list[float]]:
    """Share of 40 series of each shape, known for a year and a half, whose next 28, 90 and 180 days lie in P10-P90."""
    found = {}
    for number, shape in enumerate(SHAPES):
        dice = np.random.default_rng([7, number])
        inside, _ = held_out(weekly(demand(shape, 40, (78 + 26) * 7, dice)), 78)
        found[shape] = inside.mean(axis=1).tolist()
    return found


@pytest.mark.parametrize("horizon", [0, 1, 2])
def test_four_of_five_totals_lie_within_their_bounds(coverage: dict[str, list[float]], horizon: int) -> None:
    every = [shares[horizon] for shares in coverage.values()]
    # 360 series: chance moves the mean by two points and 40 of one shape by six; a step to come is in no history
    assert 0.74 <= float(np.mean(every)) <= 0.88
    assert min(shares[horizon] for shape, shares in coverage.items() if not shape.startswith("step")) >= 0.55


def test_how_often_bounds_held_is_told_by_horizon(company: Any) -> None:
    dice = np.random.default_rng(4)
    tables = company(list(1e9 * dice.lognormal(0, 0.1, 400)))
    names = ("daily_service", "production_units", "daily_spend", "settings")
    told = demand_accuracy(*(tables[name] for name in names)).filter(pl.col("quantity") == "tokens", model_id="m")
    assert told["horizon_days"].to_list() == [28, 90, 180]
    assert told["folds"].to_list() == [46, 37, 24]
    assert told["mape_ratio"].max() < 0.05
    assert 0.6 <= told["coverage_ratio"].min() <= 1.0
