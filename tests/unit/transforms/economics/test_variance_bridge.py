"""Why a month cost another amount than the one before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.checks import open_bridges
from transforms.economics.spend.service import production_units
from transforms.economics.variance.budget_variances import budget_variances
from transforms.economics.variance.variance_bridge import variance_bridge

APRIL, MAY, NIGHT = date(2025, 4, 10), date(2025, 5, 10), date(2025, 5, 31)


def cost(day: date, usd: object, gpu_seconds: float = 0.0, **given: Any) -> dict[str, Any]:
    known = {"account": "direct", "model_id": "m", "phase": "inference", "currency": "USD"}
    return {"charge_date": day, "effective_usd": usd, "gpu_seconds": gpu_seconds, **known, **given}


def served(day: date, tokens: int, model_id: str = "m") -> dict[str, Any]:
    return {"day": day, "model_id": model_id, "requests": 1, "input_tokens": tokens}


def drivers(bridge: pl.DataFrame, model_id: str | None = "m") -> dict[str, Decimal]:
    rows = bridge.filter(pl.col("model_id").eq_missing(model_id))
    return dict(rows.group_by("driver").agg(pl.col("change_usd").sum()).iter_rows())


def late(rows: Any, as_of: date, unseen: int, quantity: str = "running_usd") -> pl.DataFrame:
    """What the forecast knows of a bill that ends so many days before the night."""
    state = {"model_id": "*", "known_on": as_of + timedelta(days=1), "quantity": quantity, "unseen_days": unseen}
    frame: pl.DataFrame = rows("demand_states", state)
    return frame


@pytest.fixture
def bridge(rows: Any, night: Any) -> Any:
    """The bridge of some costs and some service, which must close."""

    def build(
        costs: list[dict[str, Any]], service: list[dict[str, Any]], as_of: date = NIGHT, unseen: int = 0
    ) -> pl.DataFrame:
        spend, served = rows("daily_spend", *costs), rows("daily_service", *service)
        found = variance_bridge(spend, served, production_units(served), late(rows, as_of, unseen), night(as_of))
        assert open_bridges(found, spend, night(as_of)).is_empty()
        return found

    return build


def test_more_of_the_same_is_volume(bridge: Any) -> None:
    # twice the tokens on twice the GPU time at the same price
    found = bridge([cost(APRIL, 100, 10.0), cost(MAY, 200, 20.0)], [served(APRIL, 50), served(MAY, 100)])
    assert drivers(found) == {"volume": Decimal(100)}
    assert found["days"].unique().to_list() == [31]


def test_the_same_tokens_in_less_gpu_time_are_efficiency(bridge: Any) -> None:
    found = bridge([cost(APRIL, 100, 10.0), cost(MAY, 80, 8.0)], [served(APRIL, 50), served(MAY, 50)])
    assert drivers(found) == {"efficiency": Decimal(-20)}


def test_the_same_gpu_time_for_less_money_is_price(bridge: Any) -> None:
    found = bridge([cost(APRIL, 100, 10.0), cost(MAY, 90, 10.0)], [served(APRIL, 50), served(MAY, 50)])
    assert drivers(found) == {"price": Decimal(-10)}


def test_volume_mix_efficiency_and_price_at_once(bridge: Any) -> None:
    # a: 100 tokens for $100 → 300 for $240; b: 100 tokens for $10 → 100 for $10. The company grew from 200 to 400,
    # so volume would have doubled both: 100 and 10. a grew by 200 in all: mix 100; b not at all: mix −10.
    # a's GPU time per token fell from 1 to 0.9 (270 instead of 300 at $1): efficiency −30; the rest, −30, is price.
    found = bridge(
        [
            cost(APRIL, 100, 100.0, model_id="a"), cost(MAY, 240, 270.0, model_id="a"),
            cost(APRIL, 10, 10.0, model_id="b"), cost(MAY, 10, 10.0, model_id="b"),
        ],
        [served(APRIL, 100, "a"), served(MAY, 300, "a"), served(APRIL, 100, "b"), served(MAY, 100, "b")],
    )  # fmt: skip
    assert drivers(found, "a") == {
        "volume": Decimal(100),
        "mix": Decimal(100),
        "efficiency": Decimal(-30),
        "price": Decimal(-30),
    }
    assert drivers(found, "b") == {"volume": Decimal(10), "mix": Decimal(-10)}


def test_a_new_model_is_mix_and_a_vanished_one_too(bridge: Any) -> None:
    found = bridge(
        [cost(APRIL, 40, 4.0, model_id="old"), cost(MAY, 30, 3.0, model_id="new")],
        [served(APRIL, 50, "old"), served(MAY, 50, "new")],
    )
    assert drivers(found, "old") == {"mix": Decimal(-40)}
    assert drivers(found, "new") == {"mix": Decimal(30)}


def test_cost_without_telemetry_on_one_side_is_other(bridge: Any) -> None:
    assert drivers(bridge([cost(APRIL, 40, 4.0), cost(MAY, 30, 3.0)], [served(MAY, 5)])) == {"other": Decimal(-10)}


def test_training_is_one_off_idle_is_efficiency_and_the_rest_is_other(bridge: Any) -> None:
    found = bridge(
        [
            cost(APRIL, 100, phase="pretraining"), cost(MAY, 20, phase="posttraining"),
            cost(MAY, 7, account="idle", model_id=None, phase=None),
            cost(APRIL, 3, account="shared", model_id=None, phase=None),
            cost(MAY, 99, account="out_of_scope", model_id=None, phase=None),
        ],
        [],
    )  # fmt: skip
    assert drivers(found) == {"one_off": Decimal(-80)}
    assert drivers(found, None) == {"efficiency": Decimal(7), "other": Decimal(-3)}


def test_what_is_billed_later_than_its_month_is_restatement(bridge: Any) -> None:
    found = bridge([cost(APRIL, -9, is_restated=True), cost(MAY, 0)], [])
    assert drivers(found) == {"restatement": Decimal(9)}


def test_a_running_month_is_compared_with_the_same_days(bridge: Any) -> None:
    # to 10 May only the 10 days of April count: 100 → 100; 20 April is another matter
    found = bridge(
        [cost(APRIL, 100, 1.0), cost(date(2025, 4, 20), 500, 5.0), cost(MAY, 100, 1.0)],
        [served(APRIL, 5), served(date(2025, 4, 20), 25), served(MAY, 5)],
        as_of=MAY,
    )
    assert found.is_empty()


def test_a_month_whose_last_days_are_not_billed_is_compared_with_the_same_days(bridge: Any) -> None:
    # the night is 31 May, the bill ends on the 29th: $290 of 29 days beside $290 of 1 to 29 April and not $300; a fee
    # that stands on the 31st already is on neither side
    days = [*(cost(date(2025, 4, day), 10, 1.0) for day in range(1, 31)),
            *(cost(date(2025, 5, day), 10, 1.0) for day in range(1, 30))]  # fmt: skip
    tokens = [served(row["charge_date"], 5) for row in days]
    fee = cost(NIGHT, 7, account="shared", model_id=None, phase=None)
    assert bridge([*days, fee], tokens, unseen=2).filter(pl.col("month") == date(2025, 5, 1)).is_empty()
    # a dollar more on the 10th is the price of the 29 days
    dearer = [row if row["charge_date"] != MAY else {**row, "effective_usd": 11} for row in days]
    found = bridge([*dearer, fee], tokens, unseen=2)
    assert found.select("days", "driver", "change_usd").rows() == [(29, "price", Decimal(1))]


def test_requests_that_are_late_end_the_comparison_as_a_late_bill_does(rows: Any, night: Any) -> None:
    # what is billed of the 30th and 31st looks idle as long as no request tells of it
    spend = rows("daily_spend", cost(APRIL, 10), cost(MAY, 12), cost(NIGHT, 5, account="idle", model_id=None))
    for quantity in ("tokens", "units", "inference_usd"):
        found = variance_bridge(
            spend, rows("daily_service"), rows("production_units"), late(rows, NIGHT, 2, quantity), night(NIGHT)
        )
        assert found.select("days", "change_usd").rows() == [(29, Decimal(2))]
        assert open_bridges(found, spend, night(NIGHT)).is_empty()


def test_requests_that_end_while_the_bill_goes_on_are_not_late(rows: Any, night: Any) -> None:
    # the last model has retired 20 days ago; the pool is still paid: all of May beside all of April
    spend = rows("daily_spend", cost(APRIL, 10), cost(NIGHT, 12, account="idle", model_id=None))
    states = pl.concat([late(rows, NIGHT, 20, "tokens"), late(rows, NIGHT, 0)])
    served = rows("daily_service"), rows("production_units")
    found = variance_bridge(spend, *served, states, night(NIGHT))
    assert found["days"].unique().to_list() == [31]
    # for a week they may be late
    states = pl.concat([late(rows, NIGHT, 7, "tokens"), late(rows, NIGHT, 0)])
    assert variance_bridge(spend, *served, states, night(NIGHT))["days"].unique().to_list() == [24]


def test_a_month_of_which_nothing_is_known_is_not_compared_and_the_one_before_to_its_last_known_day(
    bridge: Any,
) -> None:
    # the night is 2 May, the bill ends on 29 April: April's 29 days beside 1 to 29 March
    costs = {date(2025, 3, 29): 5, date(2025, 3, 30): 50, date(2025, 4, 29): 6, date(2025, 5, 1): 3}
    found = bridge(
        [cost(day, usd) for day, usd in costs.items()], [], as_of=date(2025, 5, 2), unseen=3,
    )  # fmt: skip
    assert found.select("month", "days", "change_usd").rows() == [(date(2025, 4, 1), 29, Decimal(1))]


def test_a_budget_of_a_month_that_is_over_is_not_complete_before_its_last_day_is_billed(rows: Any, night: Any) -> None:
    budgets = rows("budgets", *({"month": date(2025, month, 1), "model_id": "*", "phase": "*", "usd": 100}
                                for month in (3, 4, 5)))  # fmt: skip
    spend = rows("daily_spend", cost(date(2025, 4, 29), 90))
    as_of = date(2025, 5, 2)
    found = budget_variances(budgets, spend, late(rows, as_of, 3), night(as_of))
    # the bill ends on 29 April
    assert found.select("known_days", "is_complete").rows() == [(31, True), (29, False), (0, False)]


def test_a_month_after_a_month_of_credits_still_closes(bridge: Any) -> None:
    found = bridge([cost(APRIL, -50, 1.0), cost(MAY, 30, 1.0)], [served(APRIL, 5), served(MAY, 10)])
    assert sum(drivers(found).values()) == Decimal(80)


def test_the_first_month_has_nothing_to_be_compared_with(bridge: Any) -> None:
    assert bridge([cost(MAY, 30, 1.0)], [served(MAY, 5)]).is_empty()
    assert bridge([], []).is_empty()


def test_a_bridge_that_does_not_close_is_found(rows: Any, night: Any) -> None:
    spend = rows("daily_spend", cost(APRIL, 100, phase="pretraining"), cost(MAY, 20, phase="pretraining"))
    found = variance_bridge(spend, rows("daily_service"), rows("production_units"), rows("demand_states"), night(NIGHT))
    lost = found.with_columns(change_usd=pl.col("change_usd") + pl.lit(Decimal("0.01")))
    assert open_bridges(lost, spend, night(NIGHT)).height == 1


def test_each_row_of_the_budget_is_compared_with_its_own_cost(rows: Any, night: Any) -> None:
    budgets = rows(
        "budgets",
        {"month": date(2025, 5, 1), "model_id": "*", "phase": "*", "usd": 100},
        {"month": date(2025, 5, 1), "model_id": "m", "phase": "*", "usd": 50},
        {"month": date(2025, 5, 1), "model_id": "*", "phase": "pretraining", "usd": 0},
        {"month": date(2025, 5, 1), "model_id": "n", "phase": "inference", "usd": 10},
        {"month": date(2025, 6, 1), "model_id": "*", "phase": "*", "usd": 100},
    )
    spend = rows(
        "daily_spend",
        cost(MAY, 40), cost(MAY, 30, phase="pretraining"), cost(MAY, 20, account="idle", model_id=None, phase=None),
        cost(MAY, 99, account="out_of_scope", model_id=None, phase=None), cost(APRIL, 1000),
    )  # fmt: skip
    found = budget_variances(budgets, spend, rows("demand_states"), night(NIGHT))
    lines = {
        (model, phase): (actual, variance, ratio)
        for model, phase, actual, variance, ratio in found.select(
            "model_id", "phase", "actual_usd", "variance_usd", "variance_ratio"
        ).iter_rows()
    }
    assert lines == {
        ("*", "*"): (Decimal(90), Decimal(-10), -0.1),
        ("m", "*"): (Decimal(70), Decimal(20), 0.4),
        ("*", "pretraining"): (Decimal(30), Decimal(30), None),
        ("n", "inference"): (Decimal(0), Decimal(-10), -1.0),
    }
    assert found["is_complete"].unique().to_list() == [True]
    running = budget_variances(budgets, spend, rows("demand_states"), night(MAY))
    assert running.select("known_days", "is_complete").unique().rows() == [(10, False)]


def test_no_budget_has_no_variance(rows: Any, night: Any) -> None:
    assert budget_variances(
        rows("budgets"), rows("daily_spend", cost(MAY, 1)), rows("demand_states"), night(NIGHT)
    ).is_empty()
