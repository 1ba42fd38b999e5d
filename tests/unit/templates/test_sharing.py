"""The table of other ways of sharing pools on page B."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from templates import render
from templates.pages.night import Night
from templates.pages.sharing import MOST, sharing
from warehouse.schemas.ledger import SHARING_POLICIES, PolicySensitivity

Tables = dict[str, pl.DataFrame]


def shared(tables: Tables, costs: dict[str, dict[str, int]]) -> Tables:
    """The night in which models cost so much (by policy; as booked where a policy is left out)."""
    rows = []
    for policy in SHARING_POLICIES:
        under = {model: Decimal(found.get(policy, found["booked"])) for model, found in costs.items()}
        ranked = sorted(under, key=lambda model: (-under[model], model))
        rows += [
            {"policy": policy, "currency": "USD", "model_id": model, "effective_cost": under[model],
             "share_ratio": float(under[model] / sum(under.values())), "rank": ranked.index(model) + 1,
             "booked_rank": 1}
            for model in under
        ]  # fmt: skip
    return {**tables, "policy_sensitivity": PolicySensitivity.frame(pl.DataFrame(rows))}


def test_shares_and_ranks_stand_side_by_side_and_the_sentence_counts_who_moves(tables: Tables) -> None:
    # booked 60 : 40 of 100; whole nodes 40 : 60
    found = sharing(
        Night(shared(tables, {"a": {"booked": 60, "whole_nodes": 40}, "b": {"booked": 40, "whole_nodes": 60}}))
    )

    assert found is not None
    assert [row.model for row in found.rows] == ["a", "b"]
    assert [cell.replace("\u00a0", " ") for cell in found.rows[0].cells] == [
        "60 % (1)",
        "60 % (1)",
        "40 % (2)",
        "60 % (1)",
    ]
    assert found.sentence == "2 models of 2 would change place under at least one other way of sharing."


def test_an_order_that_stands_is_said(tables: Tables) -> None:
    found = sharing(Night(shared(tables, {"a": {"booked": 60, "idle_with_users": 70}, "b": {"booked": 40}})))

    assert found is not None
    assert found.sentence == "No other way of sharing would change the order of the models."


def test_without_shared_pools_there_is_nothing_to_compare(tables: Tables) -> None:
    assert sharing(Night(shared(tables, {"a": {"booked": 60}, "b": {"booked": 40}}))) is None
    assert sharing(Night({**tables, "policy_sensitivity": PolicySensitivity.empty()})) is None


@pytest.mark.parametrize("name", ["<b>bold</b>{{ 7 * 7 }}", "x" * 100_000])
def test_the_page_prints_it_with_any_name_and_says_how_many_are_left_out(
    tables: Tables, built: dict[str, Any], name: str
) -> None:
    many = {f"m{number:02}": {"booked": 50 - number} for number in range(MOST + 1)}
    markup = render.html(shared(tables, {name: {"booked": 90, "whole_nodes": 91}, **many}), **built)

    assert "If pools were shared otherwise" in markup
    assert "2 more models are not listed" in markup.replace("Two", "2")
    assert "<b>bold" not in markup
    assert "bold49" not in markup
