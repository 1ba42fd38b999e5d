"""Closed months of training still to be carried that moved since they were first reported."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from transforms.economics.amortization.amortization_restatements import amortization_restatements

FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in (2, 3, 4))
NIGHT = date(2025, 4, 20)


def month(
    first: date, opening: int, additions: int, amortized: int, written_off: int = 0, **given: Any
) -> dict[str, Any]:
    lines = {"opening_usd": opening, "additions_usd": additions, "amortized_usd": amortized}
    closing = opening + additions - amortized - written_off
    known = {"model_id": "m", "month": first, "written_off_usd": written_off, "method": "straight_line"}
    return known | lines | ({} if "night" in given else {"closing_usd": closing}) | given


@pytest.fixture
def restated(rows: Any, night: Any) -> Any:
    """The restatements of some months against what some nights had published."""

    def build(now: list[dict[str, Any]], told: list[dict[str, Any]]) -> pl.DataFrame:
        published = rows("published_amortization", *told)
        found = amortization_restatements(rows("amortization", *now), published, night(NIGHT))
        lines = pl.col("opening_change_usd") + pl.col("additions_change_usd")
        less = pl.col("amortized_change_usd") + pl.col("written_off_change_usd")
        assert found.filter(pl.col("closing_change_usd") != lines - less).is_empty()
        return found

    return build


COLUMNS = ("month", "reported_on", "reported_closing_usd", "current_closing_usd", "opening_change_usd",
           "additions_change_usd", "amortized_change_usd")  # fmt: skip


def test_late_cost_moves_its_month_and_the_opening_of_the_next(restated: Any) -> None:
    # $900 in February, a tenth carried: 810. $100 more told in April: 1,000 less 100 is 900; March opens 90 higher and
    # carries a tenth of that, 9
    told = [month(FEBRUARY, 0, 900, 90, night=MARCH), month(FEBRUARY, 0, 900, 90, night=APRIL),
            month(MARCH, 810, 0, 81, night=APRIL), month(APRIL, 729, 0, 2, night=APRIL)]  # fmt: skip
    now = [month(FEBRUARY, 0, 1000, 100), month(MARCH, 900, 0, 90), month(APRIL, 810, 0, 50)]
    assert restated(now, told).select(COLUMNS).rows() == [
        (FEBRUARY, MARCH, 810, 900, 0, 100, 10),
        (MARCH, APRIL, 729, 810, 90, 0, 9),
    ]


def test_the_month_that_runs_is_not_restated_nor_what_this_night_said(restated: Any) -> None:
    told = [month(APRIL, 0, 10, 1, night=APRIL), month(MARCH, 0, 9, 1, night=NIGHT)]
    assert restated([month(MARCH, 0, 5, 1), month(APRIL, 4, 10, 1)], told).is_empty()


def test_what_is_as_it_was_reported_has_no_row(restated: Any) -> None:
    assert restated([month(MARCH, 5, 5, 1, 9)], [month(MARCH, 5, 5, 1, 9, night=APRIL)]).is_empty()


def test_a_model_that_was_not_there_or_is_gone_counts_as_nothing(restated: Any) -> None:
    now, told = [month(MARCH, 0, 7, 0, model_id="new")], [month(MARCH, 0, 4, 1, model_id="old", night=APRIL)]
    found = restated(now, told)
    assert found.select("model_id", "reported_closing_usd", "current_closing_usd").rows() == [
        ("new", 0, 7), ("old", 3, 0),
    ]  # fmt: skip
