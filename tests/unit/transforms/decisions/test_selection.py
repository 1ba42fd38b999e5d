"""No saving is counted twice, and what competes for the same money is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.decisions.checks import (
    crossed_percentiles,
    models_without_a_card,
    savings_counted_twice,
    unproven_recommendations,
)
from transforms.decisions.portfolio.portfolio_selection import chosen

if TYPE_CHECKING:
    from conftest import TableOf


def option(action: str, worth: float, **row: object) -> dict[str, Any]:
    """An eligible alternative of the model `a`, worth so much and saving a tenth of it a month."""
    money = {"expected_value_usd": worth, "net_present_value_usd_p50": worth, "monthly_saving_usd_p50": worth / 10}
    subject = {"model_id": "a", "is_eligible": True, "is_measured": True, "monthly_idle_saving_usd_p50": 0}
    return {**subject, "action": action, **money, **row}


def pick(
    table_of: TableOf, *options: dict[str, Any], serving: list[dict[str, Any]] | None = None
) -> list[tuple[str, str | None]]:
    """Actions and tasks that are recommended together, the most valuable first."""
    states = table_of("serving_states", serving or [])
    return chosen(table_of("candidates", list(options)), states, 1000).select("action", "task").rows()


def test_a_model_is_changed_as_a_whole_or_its_tasks_are_moved(table_of: TableOf) -> None:
    # 30,000 + 40,000 for the two tasks against 60,000 for the whole
    found = pick(
        table_of,
        option("retrain_smaller", 60_000),
        option("route", 30_000, task="x"),
        option("distil", 40_000, task="y"),
    )

    assert found == [("distil", "y"), ("route", "x")]


def test_the_whole_wins_where_it_is_worth_more_than_all_moves_together(table_of: TableOf) -> None:
    assert pick(table_of, option("retrain_smaller", 80_000), option("route", 30_000, task="x")) == [
        ("retrain_smaller", None)
    ]


def test_a_task_moves_once(table_of: TableOf) -> None:
    assert pick(table_of, option("route", 30_000, task="x"), option("distil", 50_000, task="x")) == [("distil", "x")]


def test_one_size_is_recommended(table_of: TableOf) -> None:
    sizes = [option("retrain_smaller", worth, target_params=worth) for worth in (50_000, 70_000)]

    assert pick(table_of, *sizes) == [("retrain_smaller", None)]


def test_tuning_and_retraining_save_the_same_money_only_once(table_of: TableOf) -> None:
    assert pick(table_of, option("retrain_smaller", 60_000), option("tune_serving", 50_000, deployment_id="d")) == [
        ("retrain_smaller", None)
    ]


def test_every_deployment_of_a_model_may_be_tuned(table_of: TableOf) -> None:
    found = pick(table_of, *(option("tune_serving", 50_000, deployment_id=name) for name in ("d", "e")))

    assert len(found) == 2


def test_a_model_that_takes_a_task_over_is_not_retired(table_of: TableOf) -> None:
    found = pick(
        table_of, option("route", 90_000, task="x", target_model_id="b"), option("retire", 50_000, model_id="b")
    )

    assert found == [("route", "x")]


def test_nothing_moves_to_a_model_that_is_retired(table_of: TableOf) -> None:
    found = pick(
        table_of, option("route", 40_000, task="x", target_model_id="b"), option("retire", 50_000, model_id="b")
    )

    assert found == [("retire", None)]


def test_idle_cost_that_leaves_with_a_task_is_not_released_again(table_of: TableOf) -> None:
    # The pool's release saves 8,000 a month; the route takes 5,000 of that idle cost out of the pool.
    release = option("release_capacity", 80_000, model_id=None, pool_id="p")
    move = option("route", 90_000, task="x", monthly_idle_saving_usd_p50=5000)
    home = table_of("serving_states", [{"model_id": "a", "deployment_id": "d", "pool_id": "p"}])
    rows = chosen(table_of("candidates", [release, move]), home, 1000)
    left = rows.filter(pl.col("action") == "release_capacity").row(0, named=True)

    assert float(left["monthly_saving_usd_p50"]) == 3000
    assert float(left["net_present_value_usd_p50"]) == 30_000
    assert "beyond the 5,000" in left["reason"]


def test_a_release_that_other_cards_have_counted_is_not_asked_for(table_of: TableOf) -> None:
    release = option("release_capacity", 80_000, model_id=None, pool_id="p")
    move = option("route", 90_000, task="x", monthly_idle_saving_usd_p50=7500)

    assert pick(table_of, release, move, serving=[{"model_id": "a", "deployment_id": "d", "pool_id": "p"}]) == [
        ("route", "x")
    ]


def card(action: str, **row: object) -> dict[str, Any]:
    """A card of the model `a`."""
    return {"model_id": "a", "action": action, "probability": 0.9, "monthly_saving_usd_p50": 5000, **row}


def test_a_model_with_and_without_an_action_is_found(table_of: TableOf) -> None:
    cards = table_of("recommendations", [card("hold"), card("route", task="x")])
    models = table_of("models", [{"model_id": "a"}, {"model_id": "b"}])

    assert models_without_a_card(models, cards).get_column("model_id").to_list() == ["a", "b"]
    assert models_without_a_card(models.head(1), cards.head(1)).is_empty()


def test_a_task_with_two_cards_and_a_mixed_model_are_found(table_of: TableOf) -> None:
    twice = table_of("recommendations", [card("route", task="x"), card("distil", task="x")])
    mixed = table_of("recommendations", [card("route", task="x"), card("retrain_smaller")])
    fine = table_of("recommendations", [card("route", task="x"), card("route", task="y")])

    assert savings_counted_twice(twice).height == 1
    assert savings_counted_twice(mixed).height == 2
    assert savings_counted_twice(fine).is_empty()


def test_a_card_under_what_policy_asks_for_is_found(table_of: TableOf) -> None:
    cards = table_of(
        "recommendations",
        [card("route"), card("route", probability=0.7), card("route", monthly_saving_usd_p50=500), card("hold")],
    )
    settings = table_of("settings", [{"materiality_usd": 1000}])

    assert unproven_recommendations(cards, settings).height == 2


def test_percentiles_out_of_order_are_found(table_of: TableOf) -> None:
    levels = {
        f"{stem}_p{level}": level for stem in ("monthly_saving_usd", "net_present_value_usd") for level in (10, 50, 90)
    }
    crossed = {**levels, "monthly_saving_usd_p90": 5}
    half = {**levels, "net_present_value_usd_p50": None}
    rows = table_of(
        "candidates", [option("route", 1) | levels, option("route", 1) | crossed, option("route", 1) | half]
    )
    unknown = table_of("candidates", [{"model_id": "a", "action": "route"}])

    assert crossed_percentiles(rows).height == 2
    assert crossed_percentiles(unknown).is_empty()
