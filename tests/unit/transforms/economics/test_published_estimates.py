"""Estimates change prospectively: what an earlier night published is not estimated again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.economics.amortization.amortization import amortization, estimate_changes
from transforms.economics.amortization.amortization_schedule import (
    AmortizedMonth,
    Forecast,
    Month,
    Plan,
    Policy,
    Published,
    roll_forward,
)
from transforms.economics.checks import open_roll_forwards
from warehouse.schemas.history import PublishedAmortization

JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in (1, 2, 3, 4))
SERVED = {JANUARY: 0, FEBRUARY: 400, MARCH: 200, APRIL: 100}
USD = 10**12


@pytest.fixture
def company(rows: Any) -> dict[str, pl.DataFrame]:
    """A model that trained for $900 in January and serves from 1 February, carried by the forecast of its tokens."""
    return {
        "lives": rows("lives"),
        "model_lives": model_lives(rows),
        "expected_service": expected(rows, {FEBRUARY: 1000.0, MARCH: 600.0, APRIL: 400.0}),
        "published_amortization": rows("published_amortization"),
    }


def model_lives(rows: Any, **known: Any) -> pl.DataFrame:
    frame: pl.DataFrame = rows(
        "model_lives", {"model_id": "m", "first_served_on": FEBRUARY, "typical_days": 100.0, **known}
    )
    return frame


def expected(rows: Any, forecasts: dict[date, float]) -> pl.DataFrame:
    frame: pl.DataFrame = rows(
        "expected_service",
        *({"known_on": day, "model_id": "m", "quantity": "tokens", "expected_p50": tokens, "variation_ratio": 0.3}
          for day, tokens in forecasts.items()),
    )  # fmt: skip
    return frame


def assets(rows: Any, night: date, **late: int) -> pl.DataFrame:
    """Training of January and `late` dollars of February, and what was served in each month to the night."""
    added = {JANUARY: 900, FEBRUARY: late.get("february", 0)}
    to_date, cells = 0, []
    for month in (month for month in SERVED if month <= night):
        to_date += SERVED[month]
        cells.append({"month": month, "model_id": "m", "additions_usd": added.get(month, 0),
                      "production": SERVED[month], "production_to_date": to_date,
                      "production_unit": "tokens"})  # fmt: skip
    frame: pl.DataFrame = rows("training_assets", *cells)
    return frame


def rolled(company: dict[str, pl.DataFrame], rows: Any, night: Any, as_of: date, **late: int) -> pl.DataFrame:
    found = amortization(assets(rows, as_of, **late), **company, settings=night(as_of))
    assert open_roll_forwards(found).is_empty()
    return found


def published(found: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return PublishedAmortization.frame(found.with_columns(night=pl.lit(as_of)))


def dollars(found: pl.DataFrame, column: str = "amortized_usd") -> list[Decimal]:
    return found.sort("month")[column].to_list()


def test_another_end_of_service_counts_from_the_next_month_on(company: Any, rows: Any, night: Any) -> None:
    # 400 of 1000 tokens carry $360 in February, on 1 March 600 are still expected: 200 of them carry $180
    first = published(rolled(company, rows, night, MARCH), MARCH)
    longer = expected(rows, {FEBRUARY: 4000.0, MARCH: 3600.0, APRIL: 3600.0})
    found = rolled(company | {"expected_service": longer, "published_amortization": first}, rows, night,
                   date(2025, 3, 31))  # fmt: skip
    assert dollars(found) == [0, 360, 180]
    # the night of 1 April closes March; from there 100 of 3600 carry 1/36 of the $360 left
    told = company | {"expected_service": longer, "published_amortization": first}
    history = pl.concat([first, published(rolled(told, rows, night, APRIL), APRIL)])
    after = company | {"expected_service": longer, "published_amortization": history}
    assert dollars(rolled(after, rows, night, date(2025, 4, 30))) == [0, 360, 180, 10]


def test_without_history_the_present_estimate_counts_from_the_beginning(company: Any, rows: Any, night: Any) -> None:
    longer = expected(rows, {FEBRUARY: 4000.0, MARCH: 3600.0})
    found = rolled(company | {"expected_service": longer}, rows, night, date(2025, 3, 31))
    # 400 of 4000 of $900, 200 of 3600 of $810
    assert dollars(found) == [0, 90, 45]


def test_a_write_off_that_was_published_stands_though_the_model_is_kept(company: Any, rows: Any, night: Any) -> None:
    retired = company | {"model_lives": model_lives(rows, retires_on=date(2025, 2, 20))}
    first = published(rolled(retired, rows, night, MARCH), MARCH)
    found = rolled(company | {"published_amortization": first}, rows, night, date(2025, 3, 31))
    assert dollars(found, "written_off_usd") == [0, 540, 0]
    assert dollars(found, "closing_usd") == [900, 0, 0]


def test_a_retirement_told_after_its_month_was_closed_is_written_off_now(company: Any, rows: Any, night: Any) -> None:
    first = published(rolled(company, rows, night, MARCH), MARCH)
    told = company | {"model_lives": model_lives(rows, retires_on=date(2025, 2, 20)), "published_amortization": first}
    found = rolled(told, rows, night, date(2025, 3, 31))
    # February stays as it was; of the $540 left March carries a third by its tokens and strands the rest
    assert dollars(found, "written_off_usd") == [0, 0, 360]
    assert dollars(found) == [0, 360, 180]


def test_the_month_that_runs_keeps_its_estimate_and_may_still_end(company: Any, rows: Any, night: Any) -> None:
    first = published(rolled(company, rows, night, MARCH), MARCH)
    ends = company | {"model_lives": model_lives(rows, retires_on=date(2025, 3, 20)), "published_amortization": first}
    assert dollars(rolled(ends, rows, night, date(2025, 3, 31)), "written_off_usd") == [0, 0, 360]


def test_late_cost_of_a_closed_month_is_kept_by_the_estimate_of_that_month(company: Any, rows: Any, night: Any) -> None:
    # $100 more in February: 400 of 1000 tokens of $1,000, then a third of $600
    first = published(rolled(company, rows, night, MARCH), MARCH)
    found = rolled(company | {"published_amortization": first}, rows, night, date(2025, 3, 31), february=100)
    assert dollars(found) == [0, 400, 200]


def test_straight_line_of_a_closed_month_stays_when_the_life_changes(company: Any, rows: Any, night: Any) -> None:
    # 28 of 100 days from 1 February carry $252; 72 are left. The life becomes 200 days: March keeps 31 of 72
    straight = company | {"expected_service": rows("expected_service")}
    first = published(rolled(straight, rows, night, MARCH), MARCH)
    changed = {"model_lives": model_lives(rows, typical_days=200.0), "published_amortization": first}
    found = rolled(straight | changed, rows, night, date(2025, 3, 31))
    assert dollars(found) == [0, 252, Decimal("279.000000000000")]
    assert found.sort("month")["expected_days"].to_list() == [None, 100, 72]


def test_a_model_that_starts_in_the_month_is_estimated_though_the_months_first_night_saw_no_service(
    company: Any, rows: Any, night: Any
) -> None:
    lives = {"lives": rows("lives", {"model_id": "*", "method": "straight_line", "months": 1.0})}
    unborn = company | lives | {"model_lives": rows("model_lives", {"model_id": "m", "typical_days": 100.0})}
    first = published(rolled(unborn, rows, night, MARCH), MARCH)
    serving = company | lives | {
        "model_lives": model_lives(rows, first_served_on=date(2025, 3, 17)), "published_amortization": first
    }  # fmt: skip
    # 15 of 30 days to 31 March
    assert dollars(rolled(serving, rows, night, date(2025, 3, 31))) == [0, 0, 450]


def test_the_reason_of_lives_csv_stays_with_a_change_that_is_published(company: Any, rows: Any, night: Any) -> None:
    estimate = {"model_id": "m", "method": "units_of_production"}
    lives = rows(
        "lives",
        {**estimate, "expected_tokens": 1000.0},
        {**estimate, "expected_tokens": 1800.0, "valid_from": MARCH, "reason": "traffic doubled"},
    )
    given_lives = company | {"lives": lives}
    first = published(rolled(given_lives, rows, night, APRIL), APRIL)
    as_of = date(2025, 4, 30)
    after = given_lives | {"published_amortization": first}
    changes = estimate_changes(assets(rows, as_of), **after, settings=night(as_of))
    assert changes.select("changed_on", "cause").rows() == [(MARCH, "policy")]
    assert changes["explanation"].item().endswith("1,400 tokens are left, 600 tokens were before; traffic doubled")


def test_what_this_night_or_a_later_one_published_is_no_history_of_it(company: Any, rows: Any, night: Any) -> None:
    longer = company | {"expected_service": expected(rows, {FEBRUARY: 4000.0})}
    first = published(rolled(company, rows, night, MARCH), MARCH)
    found = rolled(longer | {"published_amortization": first}, rows, night, MARCH)
    assert dollars(found)[1] == Decimal(90)


def test_a_revision_of_the_first_night_of_a_month_estimates_as_the_first_issue_did(
    company: Any, rows: Any, night: Any
) -> None:
    # the night of 1 April closes March. It is issued again with $100 of February that came late, while it and the first
    # nights after it are published: neither is history of it, 1 March is
    march = published(rolled(company, rows, night, MARCH), MARCH)
    known = company | {"published_amortization": march}
    first = rolled(known, rows, night, APRIL)
    later = pl.concat(
        [march, published(first, APRIL), published(rolled(company, rows, night, APRIL), date(2025, 5, 1))]
    )
    again = rolled(company | {"published_amortization": later}, rows, night, APRIL)
    assert again.equals(first)
    revised = rolled(company | {"published_amortization": later}, rows, night, APRIL, february=100)
    estimates = ["month", "method", "basis", "expected_tokens", "expected_days"]
    assert revised.select(estimates).equals(first.select(estimates))
    # 400/1000, 200/600 and 100/400 of $900, and of $1,000 from February on
    assert (dollars(first), dollars(revised)) == ([0, 360, 180, 90], [0, 400, 200, 100])
    changes = [
        estimate_changes(assets(rows, APRIL), **company | {"published_amortization": told}, settings=night(APRIL))
        for told in (march, later)
    ]
    assert changes[0].equals(changes[1])


def test_a_night_after_a_revision_goes_by_the_revision(company: Any, rows: Any, night: Any) -> None:
    # straight line: 28 of 100 days of $900 in February are $252; the revision of 1 March has $100 more, 28 % of $1,000
    straight = company | {"expected_service": rows("expected_service")}
    revised = published(rolled(straight, rows, night, MARCH, february=100), MARCH)
    found = rolled(straight | {"published_amortization": revised}, rows, night, date(2025, 3, 31), february=100)
    assert dollars(found)[:2] == [0, 280]


def _months(additions: list[int], production: list[int]) -> list[Month]:
    made, first, before = [], JANUARY, 0
    for added, served in zip(additions, production, strict=True):
        following = (first + timedelta(days=31)).replace(day=1)
        made.append(Month(first, following - timedelta(days=1), added * USD // 7, served, before))
        first, before = following, before + served
    return made


def _told(history: list[AmortizedMonth]) -> dict[date, Published]:
    return {
        row.month.first: Published(
            row.estimate.method, row.estimate.basis, row.estimate.expected, row.estimate.days, is_closed=True,
            amortized=row.amortized, balance=row.opening + row.month.additions, is_written_off=row.written_off != 0,
        )
        for row in history
    }  # fmt: skip


PLANS = st.builds(
    lambda start, ends, days, policy, forecasts: Plan(
        start, ends, days, [(None, policy)], dict(zip((JANUARY, FEBRUARY, MARCH, APRIL), forecasts, strict=True))
    ),
    st.none() | st.dates(JANUARY, date(2025, 5, 30)),
    st.none() | st.dates(JANUARY, date(2025, 7, 30)),
    st.floats(min_value=1, max_value=400),
    st.builds(
        Policy,
        st.sampled_from(["units_of_production", "straight_line"]),
        st.none() | st.floats(min_value=1, max_value=400),
        st.none() | st.floats(min_value=1, max_value=1e4),
    ),
    st.lists(
        st.builds(Forecast, st.floats(min_value=0, max_value=1e4), st.floats(min_value=0, max_value=2)),
        min_size=4, max_size=4,
    ),
)  # fmt: skip


@given(
    st.lists(st.integers(-5000, 9000), min_size=4, max_size=4),
    st.lists(st.integers(0, 3000), min_size=4, max_size=4),
    PLANS,
    PLANS,
)
def test_whatever_is_planned_anew_closed_months_stay_and_the_roll_forward_closes(
    additions: list[int], production: list[int], was: Plan, plan: Plan
) -> None:
    months = _months(additions, production)
    before = list(roll_forward(months[:3], was))
    after = list(roll_forward(months, replace(plan, published=_told(before))))
    money = [(row.opening, row.amortized, row.written_off, row.closing) for row in before]
    assert [(row.opening, row.amortized, row.written_off, row.closing) for row in after[:3]] == money
    assert all(row.opening + row.month.additions - row.amortized - row.written_off == row.closing for row in after)
    assert all(one.closing == following.opening for one, following in pairwise(after))
