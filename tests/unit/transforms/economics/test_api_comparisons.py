"""Build or buy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.unit_costs.api_comparisons import api_comparisons

MAY = date(2025, 5, 1)


def price(api_model: str, usd: tuple[object, object, object], **given: Any) -> dict[str, Any]:
    kinds = ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")
    return {"provider": "vendor", "api_model": api_model, **dict(zip(kinds, usd, strict=True)), **given}


def compared(
    rows: Any, night: Any, prices: list[dict[str, Any]], alias: str = "llama-3.1-405b", currency: str = "USD"
) -> list[dict[str, Any]]:
    """The comparisons of a model that served 2 million tokens of input, half of them cached, and 1 of output for $9."""
    tokens = {"input_tokens": 2_000_000, "cached_input_tokens": 1_000_000, "output_tokens": 1_000_000}
    costs = {"used_usd": 6, "idle_share_usd": 2, "shared_share_usd": 1, "allocated_usd_per_mtok": 3}
    found = api_comparisons(
        rows("api_prices", *prices),
        rows("models", {"model_id": "aurora", "aliases": [alias]}),
        rows("unit_costs", {"month": MAY, "model_id": "aurora", **tokens, **costs}),
        night(MAY, currency=currency),
    )
    return found.to_dicts()


def test_the_price_is_that_of_the_models_own_mix(rows: Any, night: Any) -> None:
    # 1 million fresh at $1, 1 million cached at $0.25, 1 million of output at $4: $5.25 for 3 million
    row = compared(rows, night, [price("Meta-Llama-3.1-405B-Instruct", (1, "0.25", 4))])[0]
    assert (row["buy_usd"], row["build_usd"]) == (Decimal("5.25"), Decimal(9))
    assert (row["api_usd_per_mtok"], row["allocated_usd_per_mtok"]) == (Decimal("1.75"), Decimal(3))
    assert row["buy_ratio"] == pytest.approx(5.25 / 9)


def test_without_a_price_of_its_own_cached_input_costs_as_input(rows: Any, night: Any) -> None:
    assert compared(rows, night, [price("llama31-405b", (1, None, 4))])[0]["buy_usd"] == Decimal(6)


def test_the_cheapest_ranks_first(rows: Any, night: Any) -> None:
    found = compared(rows, night, [price("llama-3.1-405b-dear", (9, None, 9)), price("llama-3.1-405b", (1, None, 1))])
    assert [(row["rank"], row["api_model"]) for row in found] == [(1, "llama-3.1-405b"), (2, "llama-3.1-405b-dear")]


def test_a_price_that_names_the_model_stands_alone(rows: Any, night: Any) -> None:
    own = price("somebody-elses-best", (2, None, 2), model_id="aurora")
    found = compared(rows, night, [price("llama-3.1-405b", (1, None, 1)), own])
    assert [(row["api_model"], row["is_named"]) for row in found] == [("somebody-elses-best", True)]


@pytest.mark.parametrize("alias", ["aurora", "llama", "405b", "llama-3.1-40b"])
def test_a_name_without_its_size_is_compared_with_nothing(rows: Any, night: Any, alias: str) -> None:
    assert compared(rows, night, [price("aurora-llama-3.1-405b", (1, None, 1))], alias=alias) == []


def test_a_price_counts_while_it_is_valid(rows: Any, night: Any) -> None:
    old = price("llama-3.1-405b", (5, None, 5), valid_to=date(2025, 5, 20))
    new = price("llama-3.1-405b", (1, None, 1), valid_from=date(2025, 5, 20))
    later = price("llama-3.1-405b", (7, None, 7), valid_from=date(2025, 6, 1))
    assert [row["buy_usd"] for row in compared(rows, night, [old, new, later])] == [Decimal(3)]


def test_the_companys_newer_price_of_the_same_model_takes_the_older_ones_place(rows: Any, night: Any) -> None:
    old = price("llama-3.1-405b", (5, None, 5), priced_on=date(2025, 4, 1))
    new = price("llama-3.1-405b", (1, None, 1), valid_from=date(2025, 5, 2))
    assert [row["buy_usd"] for row in compared(rows, night, [old, new])] == [Decimal(3)]


def test_dollars_are_not_compared_with_another_currency(rows: Any, night: Any) -> None:
    prices = [price("llama-3.1-405b", (1, None, 1)), price("named", (1, None, 1), model_id="aurora")]
    assert compared(rows, night, prices[:1], currency="EUR") == []
    assert len(compared(rows, night, prices, currency="EUR")) == 1


def test_nothing_served_or_priced_is_no_comparison(rows: Any, night: Any) -> None:
    empty = [rows(name) for name in ("api_prices", "models", "unit_costs")]
    assert api_comparisons(*empty, night(MAY)).is_empty()
    assert isinstance(empty[0], pl.DataFrame)
