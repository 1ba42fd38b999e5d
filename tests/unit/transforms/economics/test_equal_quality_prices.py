"""Prices of tokens at equal quality, and the memo of a student's teacher."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from transforms.economics.spend.teacher_costs import teacher_costs
from transforms.economics.unit_costs.equal_quality_prices import equal_quality_prices

NIGHT = date(2026, 11, 21)


def cost(month: int, model_id: str, price: str, tokens: int = 10**9) -> dict[str, Any]:
    used = {"used_usd_per_mtok": price, "allocated_usd_per_mtok": price}
    return {"month": date(2026, month, 1), "model_id": model_id, "input_tokens": tokens, **used}


def test_a_smaller_model_that_is_as_good_sets_the_price_of_the_larger_one(rows: Any) -> None:
    costs = rows("unit_costs", cost(1, "large", "8"), cost(7, "large", "8"), cost(7, "small", "2"))
    losses = rows("scaling_evidence", {"model_id": "large", "loss": 2.0}, {"model_id": "small", "loss": 1.99})
    found = equal_quality_prices(costs, losses, rows("api_comparisons"))
    large = found.filter(model_id="large").to_dicts()
    assert [row["serving_model_id"] for row in large] == ["large", "small"]
    assert large[1]["since_first_ratio"] == 0.25
    # a quarter in half a year is a sixteenth in a year
    assert large[1]["yearly_change_ratio"] == pytest.approx(1 / 16 - 1)
    # nothing as good as the small model was served before July
    assert found.filter(model_id="small")["month"].to_list() == [date(2026, 7, 1)]


def test_the_price_of_an_api_stands_beside_with_its_date(rows: Any) -> None:
    offer = {"month": date(2026, 7, 1), "model_id": "m", "api_model": "m-7b", "api_usd_per_mtok": "0.5"}
    offers = [{**offer, "rank": 1, "priced_on": date(2026, 6, 1)}, {**offer, "rank": 2, "api_model": "dearer"}]
    found = equal_quality_prices(
        rows("unit_costs", cost(7, "m", "2")), rows("scaling_evidence"), rows("api_comparisons", *offers)
    )
    row = found.row(0, named=True)
    assert (row["api_model"], row["api_usd_per_mtok"], row["api_priced_on"]) == (
        "m-7b",
        Decimal("0.5"),
        date(2026, 6, 1),
    )


def test_few_tokens_and_credits_have_no_price(rows: Any) -> None:
    costs = rows("unit_costs", cost(7, "few", "900", 1000), cost(7, "credit", "-3"), cost(7, "none", "0"))
    assert equal_quality_prices(costs, rows("scaling_evidence"), rows("api_comparisons")).is_empty()


def test_a_student_shows_what_its_teacher_cost(rows: Any, night: Any) -> None:
    models = rows(
        "models",
        {"model_id": "teacher", "origin": "own", "params": 671e9, "active_params": 37e9},
        {"model_id": "student", "origin": "own", "params": 8e9, "teacher_model_id": "teacher"},
    )
    spent = rows(
        "lifecycle_spend",
        {"model_id": "teacher", "phase": "pretraining", "direct_usd": 5, "inherited_usd": 1},
        {"model_id": "teacher", "phase": "posttraining", "direct_usd": 2},
        {"model_id": "teacher", "phase": "inference", "direct_usd": 100},
    )
    costs = rows("unit_costs", cost(6, "teacher", "4"), cost(7, "teacher", "3"))
    found = {row["model_id"]: row for row in teacher_costs(models, spent, costs, night(NIGHT)).to_dicts()}
    assert found["teacher"]["sparsity_ratio"] == pytest.approx(671 / 37)
    assert found["student"]["sparsity_ratio"] == 1
    assert found["student"]["teacher_training_usd"] == 8
    assert found["student"]["teacher_used_usd_per_mtok"] == 3
