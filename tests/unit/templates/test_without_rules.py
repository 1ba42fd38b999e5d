"""Page 1 of a company that has written no rule: the names it knows, their amounts, and what to write."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from templates.pages.night import Night
from templates.pages.summary import summary
from templates.pages.without_rules import without_rules
from templates.wording import unmarked
from warehouse.schemas import CATALOGUE

Tables = dict[str, pl.DataFrame]
NAMES: list[dict[str, Any]] = [
    {"source": "cloud", "quantity": "cost", "name": "gpu-01", "rows": 2, "amount": 1440.0, "share_ratio": 0.75},
    {"source": "cloud", "quantity": "cost", "name": "gpu-02", "rows": 2, "amount": 480.0, "share_ratio": 0.25},
    {"source": "slurm", "quantity": "gpu_seconds", "name": "owl", "rows": 2, "amount": 1_036_800.0, "share_ratio": 1.0},
    {"source": "vllm", "quantity": "tokens", "name": "owl-8b", "rows": 48, "amount": 480e6, "share_ratio": 1.0},
]  # fmt: skip


def night_of(tables: Tables, named_ratio: float, *currencies: str) -> Night:
    unmatched = CATALOGUE["unmatched"].polars_schema()
    figures = tables["month_figures"].with_columns(named_ratio=pl.lit(named_ratio))
    scope = tables["scope"].head(1).drop("currency").join(pl.DataFrame({"currency": currencies}), how="cross")
    return Night({
        **tables, "unmatched": pl.DataFrame(NAMES, schema=unmatched), "month_figures": figures, "scope": scope,
    })  # fmt: skip


def printed(night: Night) -> dict[str, list[str]]:
    """The items of each column without their marks."""
    return {
        column.quantity: [unmarked(words).replace("\u00a0", " ") for words in column.items]
        for column in without_rules(night)
    }


def test_each_name_has_its_amount_in_the_unit_people_count_in(tables: Tables) -> None:
    """1,036,800 GPU-seconds are 288 GPU-hours; $1,440 of $1,920 are 75 % of the source."""
    assert printed(night_of(tables, 0.0, "USD")) == {
        "cost": ["gpu-01: $1.44k, 75 % of cloud", "gpu-02: $480, 25 % of cloud"],
        "gpu_seconds": ["owl: 288 GPU-hours, 100 % of slurm"],
        "tokens": ["owl-8b: 480 M tokens, 100 % of vllm"],
    }


def test_amounts_of_several_currencies_are_shares_alone(tables: Tables) -> None:
    assert printed(night_of(tables, 0.0, "EUR", "USD"))["cost"] == ["gpu-01: 75 % of cloud", "gpu-02: 25 % of cloud"]


@pytest.mark.parametrize(("named_ratio", "is_shown"), [(0.0, True), (0.5, True), (0.51, False), (1.0, False)])
def test_names_stand_on_page_1_where_no_rule_reaches_half_of_the_cost(
    tables: Tables, named_ratio: float, is_shown: bool  # noqa: FBT001 - a case
) -> None:  # fmt: skip
    assert bool(without_rules(night_of(tables, named_ratio, "USD"))) is is_shown


def test_a_page_that_asks_for_decisions_keeps_its_room_for_them(tables: Tables) -> None:
    night = night_of(tables, 0.0, "USD")
    page = summary(night)
    assert page.requests
    assert page.unruled == ()
