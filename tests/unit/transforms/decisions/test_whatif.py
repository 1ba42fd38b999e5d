"""The same engine on other assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from transforms.decisions.portfolio.whatif import Overrides, changed_recommendations, whatif

if TYPE_CHECKING:
    from conftest import Company


def value(rows: pl.DataFrame, quantity: str, column: str, action: str | None = None) -> float:
    """One number of the comparison."""
    found = rows.filter(pl.col("quantity") == quantity, pl.col("action").eq_missing(action))
    return float(found.item(0, column))


def test_without_any_change_nothing_differs(outgrown: Company) -> None:
    rows = whatif("large", Overrides(), outgrown.tables())

    assert rows.height > 20
    assert rows.filter(pl.col("difference").is_not_null(), pl.col("difference") != 0).is_empty()
    assert rows.filter(pl.col("published").is_null() != pl.col("changed").is_null()).is_empty()


def test_half_the_demand_saves_half_a_month_at_the_same_price(outgrown: Company) -> None:
    rows = whatif("large", Overrides(demand_ratio=0.5), outgrown.tables())
    price = whatif("large", Overrides(demand_ratio=0.5, params=30e9), outgrown.tables())

    assert value(rows, "daily_tokens", "difference") == -2e11
    assert value(rows, "optimum_params_p50", "difference") > 0
    saved = value(price, "monthly_saving_usd_p50", "changed", "retrain_smaller")
    # 2e11 × 30.4375 tokens × 1.4 dollars a million × (1 − 30 / 70) = 4.87 million
    assert saved == pytest.approx(4.87e6, rel=0.02)


def test_a_shorter_life_makes_the_retraining_worth_less(outgrown: Company) -> None:
    rows = whatif("large", Overrides(remaining_months=6), outgrown.tables())

    assert value(rows, "remaining_months", "changed") == 6
    assert value(rows, "net_present_value_usd_p50", "difference", "retrain_smaller") < 0


def test_a_month_of_life_is_too_little_for_anything(outgrown: Company) -> None:
    cards = changed_recommendations("large", Overrides(remaining_months=1), outgrown.tables())

    assert cards.get_column("action").to_list() == ["hold"]


def test_another_law_is_another_optimum(outgrown: Company) -> None:
    rows = whatif("large", Overrides(law="hoffmann"), outgrown.tables())

    assert value(rows, "optimum_params_p50", "difference") != 0


def test_a_law_of_ones_own_that_is_not_there_leaves_nothing_to_value(outgrown: Company) -> None:
    cards = changed_recommendations("large", Overrides(law="own"), outgrown.tables())

    assert cards.item(0, "action") == "hold"


def test_a_demand_can_be_given_where_none_is_known(company: Company) -> None:
    rows = whatif("teacher", Overrides(monthly_tokens=3.04375e10), company.tables())

    assert value(rows, "daily_tokens", "changed") == 1e9


def test_a_dearer_price_saves_more(outgrown: Company) -> None:
    rows = whatif("large", Overrides(usd_per_mtok=2.8, params=30e9), outgrown.tables())

    assert value(rows, "allocated_usd_per_mtok", "changed") == pytest.approx(2.8)
    assert value(rows, "monthly_saving_usd_p50", "changed", "retrain_smaller") == pytest.approx(19.5e6, rel=0.02)


@pytest.mark.parametrize(
    ("model_id", "overrides", "words"),
    [
        ("nobody", Overrides(), "it knows large"),
        ("large", Overrides(law="kaplan"), "choose one of own, epoch"),
        ("large", Overrides(demand_ratio=-1), "give a number above zero"),
        ("large", Overrides(params=float("nan")), "give a number above zero"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_give(
    outgrown: Company, model_id: str, overrides: Overrides, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        whatif(model_id, overrides, outgrown.tables())


def test_the_published_tables_are_not_changed(outgrown: Company) -> None:
    tables = outgrown.tables()
    before = tables["positions"].clone()
    whatif("large", Overrides(demand_ratio=0.5, law="hoffmann"), tables)

    assert tables["positions"].equals(before)


def test_each_alternative_is_named_with_its_size_and_what_it_is_compared_with(outgrown: Company) -> None:
    rows = whatif("large", Overrides(params=30e9), outgrown.tables())
    row = rows.filter(pl.col("action") == "retrain_smaller").row(0, named=True)

    assert row["changed_candidate"].startswith("30B on ")
    assert row["candidate"] != row["changed_candidate"]
    assert row["compared_with"] == "large 70B on 1.4T tokens"


def test_ten_times_the_demand_needs_ten_times_the_gpus_and_they_cost(outgrown: Company) -> None:
    rows = whatif("large", Overrides(demand_ratio=10), outgrown.tables())

    assert value(rows, "gpus_held", "difference") == 0
    needed = value(rows, "gpus_needed_p50", "changed")
    assert needed == pytest.approx(10 * value(rows, "gpus_needed_p50", "published"), rel=0.01)
    # 4e11 tokens a day at 1.4 dollars a million are 17.0 million a month
    assert value(rows, "gpu_usd_a_month", "published") == pytest.approx(17.05e6, rel=0.01)


def test_a_small_model_on_much_data_costs_a_third_over_a_hundred_billion_requests(outgrown: Company) -> None:
    # 500,000 + 1e11 × 0.0001 = 10.5 million; 600,000 + 1e11 × 0.00003 = 3.6 million
    given = Overrides(
        params=3e9,
        requests=1e11,
        usd_per_request=1e-4,
        training_usd=500_000,
        candidate_usd_per_request=3e-5,
        candidate_training_usd=600_000,
    )
    rows = whatif("large", given, outgrown.tables())

    assert value(rows, "life_cost_usd", "published", "retrain_smaller") == pytest.approx(10.5e6)
    assert value(rows, "life_cost_usd", "changed", "retrain_smaller") == pytest.approx(3.6e6)
    assert value(rows, "life_cost_usd", "difference", "retrain_smaller") == pytest.approx(-6.9e6)
