"""No saving is counted twice, what excludes another waits for it, and safe money comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from transforms.decisions.checks import (
    cards_above_their_pool,
    cards_that_exclude_each_other,
    crossed_percentiles,
    models_without_a_card,
    purchases_given_back,
    savings_above_what_is_paid,
    savings_counted_twice,
    unproven_recommendations,
)
from transforms.decisions.portfolio.portfolio_selection import _Choice, in_order

if TYPE_CHECKING:
    from conftest import TableOf


def option(action: str, worth: float, **row: object) -> dict[str, Any]:
    """An eligible alternative of the model `a`, worth so much in the mean."""
    subject = {"model_id": "a", "is_eligible": True, "standing": "measured", "expected_value_usd": worth}
    return {**subject, "action": action, **row}


def order(table_of: TableOf, *options: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Actions and tasks in the order in which they are decided."""
    return [(row["action"], row["task"]) for row in in_order(table_of("candidates", list(options)))]


def test_safe_money_is_decided_before_what_is_worth_more(table_of: TableOf) -> None:
    release = option("release_capacity", 1_000, model_id=None, pool_id="p", standing="safe")
    retire = option("retire", 90_000, model_id="b", standing="evaluate_first")

    assert order(table_of, retire, option("route", 50_000, task="x"), release) == [
        ("release_capacity", None),
        ("route", "x"),
        ("retire", None),
    ]


@pytest.mark.parametrize(
    ("distil_usd", "first"),
    [
        # nine tenths of 110,000 are 99,000: as much money that is measured is preferred
        (110_000, "retrain_smaller"),
        # nine tenths of 120,000 are 108,000: to evaluate the student first is clearly worth more
        (120_000, "distil"),
    ],
)
def test_of_two_answers_for_a_model_the_clearly_better_one_is_asked_for(
    table_of: TableOf, distil_usd: float, first: str
) -> None:
    found = order(
        table_of,
        option("retrain_smaller", 100_000),
        option("distil", distil_usd, task="x", standing="evaluate_first"),
    )

    assert found[0][0] == first
    assert len(found) == 2


def test_a_measured_move_and_one_to_evaluate_together_are_worth_more_than_the_whole(table_of: TableOf) -> None:
    # 60,000 and nine tenths of 50,000 against 80,000 for the whole, which is tried last
    found = order(
        table_of,
        option("retrain_smaller", 80_000),
        option("route", 60_000, task="x"),
        option("distil", 50_000, task="y", standing="evaluate_first"),
    )

    assert found == [("route", "x"), ("distil", "y"), ("retrain_smaller", None)]


def test_moves_that_are_worth_more_together_come_before_the_change_of_the_whole(table_of: TableOf) -> None:
    # 30,000 + 40,000 for the two tasks against 60,000 for the whole
    found = order(
        table_of,
        option("retrain_smaller", 60_000),
        option("route", 30_000, task="x"),
        option("distil", 40_000, task="y"),
    )

    assert found == [("distil", "y"), ("route", "x"), ("retrain_smaller", None)]


def test_the_whole_comes_first_where_it_is_worth_more_than_all_moves_together(table_of: TableOf) -> None:
    found = order(table_of, option("retrain_smaller", 80_000), option("route", 30_000, task="x"))

    assert found == [("retrain_smaller", None), ("route", "x")]


def asked(*cards: dict[str, Any]) -> _Choice:
    """A choice in which these cards are already asked for."""
    nothing = {"task": None, "pool_id": None, "deployment_id": None, "target_model_id": None}
    rows = [{**nothing, **card} for card in cards]
    return _Choice(None, {}, None, asked=rows)  # type: ignore[arg-type]  # the fleet is not looked at


def card(action: str, **row: object) -> dict[str, Any]:
    """A card of the model `a`."""
    known = {"probability_if_passed": 0.9, "monthly_saving_if_passed_usd_p50": 5000}
    nothing = {"task": None, "pool_id": None, "deployment_id": None, "target_model_id": None}
    return {"model_id": "a", "action": action, **nothing, **known, **row}


@pytest.mark.parametrize(
    ("before", "after", "is_answered"),
    [
        (card("route", task="x"), card("distil", task="x"), True),
        (card("route", task="x"), card("distil", task="y"), False),
        (card("route", task="x"), card("retrain_smaller"), True),
        (card("retrain_smaller"), card("route", task="x"), True),
        (card("tune_serving", deployment_id="d"), card("tune_serving", deployment_id="e"), False),
        (card("tune_serving", deployment_id="d"), card("retrain_smaller"), False),
        (card("retire"), card("tune_serving", deployment_id="d"), True),
    ],
)
def test_a_model_is_changed_as_a_whole_or_its_tasks_are_moved_each_once(
    before: dict[str, Any], after: dict[str, Any], *, is_answered: bool
) -> None:
    assert asked(before)._is_answered(after) == is_answered


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [
        (card("retrain_smaller", model_id="b"), card("retire", target_model_id="b"), "retrain_smaller b"),
        (card("retire", model_id="b"), card("route", task="x", target_model_id="b"), "retire b"),
        (card("route", task="x", target_model_id="b"), card("retire", model_id="b"), "route a"),
        (card("route", task="x", target_model_id="b"), card("route", model_id="b", task="x"), None),
        (card("retire", model_id="b"), card("route", task="x", target_model_id="c"), None),
    ],
)
def test_nothing_moves_to_a_model_that_goes_and_no_model_goes_that_takes_traffic(
    before: dict[str, Any], after: dict[str, Any], waits: str | None
) -> None:
    assert asked(before)._waits_for(after) == waits


def test_a_model_with_and_without_an_action_is_found(table_of: TableOf) -> None:
    cards = table_of("recommendations", [card("hold"), card("route", task="x")])
    models = table_of("models", [{"model_id": "a"}, {"model_id": "b"}])

    assert models_without_a_card(models, cards).get_column("model_id").to_list() == ["a", "b"]
    assert models_without_a_card(models.head(1), cards.head(1)).is_empty()


def test_a_task_with_two_cards_and_a_mixed_model_are_found(table_of: TableOf) -> None:
    twice = table_of("recommendations", [card("route", task="x"), card("distil", task="x")])
    mixed = table_of("recommendations", [card("route", task="x"), card("retrain_smaller")])
    fine = table_of("recommendations", [card("route", task="x"), card("tune_serving", deployment_id="d")])

    assert savings_counted_twice(twice).height == 1
    assert savings_counted_twice(mixed).height == 2
    assert savings_counted_twice(fine).is_empty()


def test_a_card_under_what_policy_asks_for_is_found(table_of: TableOf) -> None:
    low = [{"probability_if_passed": 0.7}, {"monthly_saving_if_passed_usd_p50": 500}]
    cards = table_of("recommendations", [card("route"), *(card("route", **each) for each in low), card("hold")])
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


def test_a_card_that_saves_more_than_its_pool_costs_is_found(table_of: TableOf) -> None:
    cards = [card("retire", monthly_saving_usd_p90=90, monthly_paid_usd_p90=paid) for paid in (100, 80)]
    months = {"payable_usd_p90": [100.0, 0.0], "saved_usd_p90": [90.0, 10.0]}

    assert cards_above_their_pool(table_of("recommendations", cards)).height == 1
    assert savings_above_what_is_paid(table_of("portfolio", [card("retire") | months])).height == 1


def test_two_cards_of_which_one_takes_the_host_of_the_other_are_found(table_of: TableOf) -> None:
    cards = [card("retire", target_model_id="b"), card("retrain_smaller", model_id="b")]

    assert cards_that_exclude_each_other(table_of("recommendations", cards)).height == 1
    assert cards_that_exclude_each_other(table_of("recommendations", cards[:1])).is_empty()


def test_a_purchase_or_a_running_contract_that_is_given_back_is_found(table_of: TableOf) -> None:
    held = {"gpus": 10.0, "gpu_hours": 7305.0, "usd_per_gpu_hour": 2.0, "usd": 14610}
    rows = [
        {"supply_kind": "owned", "avoidable_usd_per_gpu_hour": 0.1, "avoidable_usd": 730.5},
        {"supply_kind": "owned", "avoidable_usd_per_gpu_hour": 0.1, "avoidable_usd": 800},
        {"supply_kind": "committed", "paid_ratio_latest": 1.0, "avoidable_usd": 1},
        {"supply_kind": "committed", "paid_ratio_latest": 0.5, "avoidable_usd": 7305},
        {"supply_kind": "on_demand", "avoidable_usd": 14610},
    ]

    found = purchases_given_back(table_of("supply", [held | row for row in rows]))

    assert found.get_column("avoidable_usd").to_list() == [800, 1]
