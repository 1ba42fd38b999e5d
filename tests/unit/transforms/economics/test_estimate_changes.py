"""A change of estimate is a dated row that says what changed, from what to what, and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.amortization.amortization import amortization, estimate_changes
from warehouse.schemas.history import PublishedAmortization

FEBRUARY, MARCH, APRIL, MAY = (date(2025, month, 1) for month in (2, 3, 4, 5))
SERVED = {FEBRUARY: 400, MARCH: 200, APRIL: 100, MAY: 0}
END_OF_JUNE, END_OF_YEAR = date(2025, 6, 30), date(2025, 12, 31)
COLUMNS = ("changed_on", "cause", "explanation")


def assets(rows: Any, night: date, late: int = 0) -> pl.DataFrame:
    """$900 of training and what was served in each month from February on; `late` tokens of February come late."""
    to_date, cells = 0, []
    for month in (month for month in SERVED if month <= night):
        served = SERVED[month] + (late if month == FEBRUARY else 0)
        to_date += served
        cells.append({"month": month, "model_id": "m", "additions_usd": 900 if month == FEBRUARY else 0,
                      "production": served, "production_to_date": to_date, "production_unit": "tokens"})  # fmt: skip
    frame: pl.DataFrame = rows("training_assets", *cells)
    return frame


def ends(rows: Any, day: date, basis: str = "retires_on", **given: Any) -> pl.DataFrame:
    """A model that serves from 1 February to this day; it retires then if models.csv says so."""
    known = {"model_id": "m", "first_served_on": FEBRUARY, "typical_days": 100.0, "ends_on": day, "basis": basis}
    frame: pl.DataFrame = rows("model_lives", {**known, "retires_on": day if basis == "retires_on" else None, **given})
    return frame


def forecast(rows: Any, ends_on: date, **tokens: float) -> pl.DataFrame:
    """What was expected on the first of some months to an end of service."""
    months = {"february": FEBRUARY, "march": MARCH, "april": APRIL}
    frame: pl.DataFrame = rows(
        "expected_service",
        *({"known_on": months[month], "model_id": "m", "quantity": "tokens", "ends_on": ends_on, "expected_p50": amount,
           "variation_ratio": 0.3} for month, amount in tokens.items()),
    )  # fmt: skip
    return frame


class Books:
    """The tables of a company, what its nights have published, and the changes that a night reports."""

    def __init__(self, rows: Any, night: Any, **tables: pl.DataFrame) -> None:
        self.rows, self.night = rows, night
        self.tables = {name: rows(name) for name in ("lives", "expected_service", "published_amortization")} | tables

    def publish(self, as_of: date, late: int = 0) -> None:
        """A night carries training and is remembered."""
        settings = self.night(as_of)
        found = amortization(assets(self.rows, as_of, late), **self.tables, settings=settings)
        history = PublishedAmortization.frame(found.with_columns(night=pl.lit(as_of)))
        self.tables["published_amortization"] = pl.concat([self.tables["published_amortization"], history])

    def changes(self, as_of: date, late: int = 0) -> list[dict[str, Any]]:
        """What a night reports."""
        settings = self.night(as_of)
        return estimate_changes(assets(self.rows, as_of, late), **self.tables, settings=settings).to_dicts()


@pytest.fixture
def books(rows: Any, night: Any) -> Books:
    """By the forecast: 1,500 tokens from 1 February to 30 June are 10 a day; of 1,220 on 1 March the same."""
    served = forecast(rows, END_OF_JUNE, february=1500.0, march=1220.0, april=910.0)
    return Books(rows, night, model_lives=ends(rows, END_OF_JUNE), expected_service=served)


def of(found: list[dict[str, Any]], day: date) -> dict[str, Any]:
    return next(row for row in found if row["changed_on"] == day)


def test_another_end_of_service_is_named_with_both_days_and_who_says_so(books: Books, rows: Any) -> None:
    # 1,220 − 200 = 1,020 were left for April; at 10 a day to 31 December 275 days are 2,750
    books.publish(MARCH)
    books.tables["model_lives"] = ends(rows, END_OF_YEAR)
    books.tables["expected_service"] = forecast(rows, END_OF_YEAR, february=3340.0, march=3060.0, april=2750.0)
    found = of(books.changes(APRIL), APRIL)
    assert (found["cause"], found["from_ends_on"], found["to_ends_on"]) == ("end_of_service", END_OF_JUNE, END_OF_YEAR)
    assert (found["from_expected_tokens"], found["to_expected_tokens"]) == (1020.0, 2750.0)
    assert found["explanation"] == (
        "forecast of 2025-04-01: 2,750 tokens are expected, 1,020 tokens were left before; service ends on 2025-12-31 "
        "(retires_on in models.csv) and not on 2025-06-30 (retires_on in models.csv)"
    )
    # a later night, when that night is published, says the same
    books.publish(APRIL)
    assert of(books.changes(date(2025, 4, 30)), APRIL) == found
    assert not [row for row in books.changes(MARCH) if row["cause"] == "end_of_service"]


def test_an_end_that_a_family_gives_and_models_csv_replaces_names_both(books: Books, rows: Any) -> None:
    books.tables["model_lives"] = ends(rows, END_OF_JUNE, "family_median")
    books.publish(MARCH)
    books.tables["model_lives"] = ends(rows, date(2025, 5, 31))
    books.tables["expected_service"] = forecast(rows, date(2025, 5, 31), march=920.0, april=610.0)
    assert of(books.changes(APRIL), APRIL)["explanation"].endswith(
        "service ends on 2025-05-31 (retires_on in models.csv) and not on 2025-06-30 (the median life of its family)"
    )


def test_another_demand_is_named_by_the_day(books: Books, rows: Any) -> None:
    # the end stays: 1,820 over 91 days are 20 a day, 1,220 over 122 days were 10
    books.publish(MARCH)
    books.tables["expected_service"] = forecast(rows, END_OF_JUNE, april=1820.0)
    found = of(books.changes(APRIL), APRIL)
    assert (found["cause"], found["explanation"]) == (
        "forecast",
        "forecast of 2025-04-01: 1,820 tokens are expected, 1,020 tokens were left before; 20 tokens a day and not 10",
    )


def test_what_rolls_forward_is_no_change(books: Books, rows: Any) -> None:
    books.publish(MARCH)
    books.tables["expected_service"] = forecast(rows, END_OF_JUNE, april=1020.0)
    assert not [row for row in books.changes(APRIL) if row["changed_on"] == APRIL]


def test_another_life_in_lives_csv_is_a_change_of_days(rows: Any, night: Any) -> None:
    # 100 days from 1 February leave 41 on 1 April, 200 days 141
    straight = {"model_id": "m", "method": "straight_line"}
    lives = rows(
        "lives",
        {**straight, "months": 100 / (365.25 / 12)},
        {**straight, "months": 200 / (365.25 / 12), "valid_from": APRIL, "reason": "kept for a second season"},
    )
    found = Books(rows, night, lives=lives, model_lives=ends(rows, END_OF_YEAR)).changes(APRIL)
    assert [(row["changed_on"], row["cause"], row["from_expected_days"], row["to_expected_days"]) for row in found] == [
        (APRIL, "policy", 41, 141)
    ]
    assert found[0]["explanation"] == (
        "lives.csv from 2025-04-01 on: 141 days of life are left, 41 days of life were before; kept for a second season"
    )


def test_a_row_of_lives_csv_that_was_edited_in_place_is_said_to_be(rows: Any, night: Any) -> None:
    # 1,000 less 400 and 200 leave 400; the edited row leaves 1,800 − 600
    produced = {"model_id": "m", "method": "units_of_production"}
    books = Books(rows, night, lives=rows("lives", {**produced, "expected_tokens": 1000.0}),
                  model_lives=ends(rows, END_OF_YEAR))  # fmt: skip
    books.publish(MARCH)
    books.tables["lives"] = rows("lives", {**produced, "expected_tokens": 1800.0, "reason": "of another day"})
    words = "lives.csv says another thing than before without a new date: 1,200 tokens are left, 400 tokens were before"
    assert [tuple(row[name] for name in COLUMNS) for row in books.changes(APRIL)] == [(APRIL, "policy", words)]


def test_tokens_told_late_are_no_change_of_estimate(rows: Any, night: Any) -> None:
    # 50 tokens of February come after 1 March was published: of 1,000, 350 are left on 1 April and not 400
    lives = rows("lives", {"model_id": "m", "method": "units_of_production", "expected_tokens": 1000.0})
    books = Books(rows, night, lives=lives, model_lives=ends(rows, END_OF_YEAR))
    books.publish(MARCH)
    assert books.changes(APRIL, late=50) == []
    books.publish(APRIL, late=50)
    assert books.changes(date(2025, 4, 30), late=50) == []


def test_an_end_that_moves_beside_a_life_that_stays_is_said_too(rows: Any, night: Any) -> None:
    # straight line over 400 days: what is carried a month stays, but what is left at the end is another amount
    lives = rows("lives", {"model_id": "*", "method": "straight_line", "months": 400 / (365.25 / 12)})
    books = Books(rows, night, lives=lives, model_lives=ends(rows, END_OF_YEAR))
    books.publish(MARCH)
    books.tables["model_lives"] = ends(rows, END_OF_JUNE)
    found = books.changes(APRIL)
    words = (
        "service ends on 2025-06-30 (retires_on in models.csv) and not on 2025-12-31 (retires_on in models.csv); "
        "what is left then is stranded"
    )
    assert [tuple(row[name] for name in COLUMNS) for row in found] == [(APRIL, "end_of_service", words)]
    assert found[0]["from_expected_days"] == found[0]["to_expected_days"] == 341


def test_a_typical_life_that_changes_names_the_days(rows: Any, night: Any) -> None:
    # no demand is forecast: the typical life of 100 days leaves 41 on 1 April, one of 150 days 91
    books = Books(rows, night, model_lives=ends(rows, END_OF_YEAR))
    books.publish(MARCH)
    books.tables["model_lives"] = ends(rows, END_OF_YEAR, typical_days=150.0)
    assert of(books.changes(APRIL), APRIL)["explanation"] == (
        "no demand is forecast on 2025-04-01, so the life counts: 91 days of life are left, 41 days of life were before"
    )


def test_a_forecast_that_becomes_too_uncertain_gives_way_to_the_life_with_both_sizes(books: Books) -> None:
    books.publish(MARCH)
    wide = books.tables["expected_service"].with_columns(variation_ratio=pl.lit(1.5))
    books.tables["expected_service"] = wide
    found = of(books.changes(APRIL), APRIL)
    assert (found["cause"], found["from_method"], found["to_method"]) == (
        "too_uncertain", "units_of_production", "straight_line",
    )  # fmt: skip
    assert found["explanation"] == (
        "the forecast of 2025-04-01 is less certain than its own size, so the life counts: 41 days of life are left, "
        "1,020 tokens were before"
    )


def test_a_retirement_is_dated_on_its_day_and_stays_so(rows: Any, night: Any) -> None:
    # 28 + 31 + 20 of 400 days are carried by 20 April
    lives = rows("lives", {"model_id": "*", "method": "straight_line", "months": 400 / (365.25 / 12)})
    books = Books(rows, night, lives=lives, model_lives=ends(rows, END_OF_YEAR))
    books.publish(MARCH)
    books.publish(APRIL)
    books.tables["model_lives"] = ends(rows, date(2025, 4, 20))
    told = [row for row in books.changes(date(2025, 4, 20)) if row["cause"] == "retired"]
    assert [(row["changed_on"], row["balance_usd"]) for row in told] == [(date(2025, 4, 20), Decimal("722.25"))]
    assert told[0]["explanation"].startswith("the model has retired on 2025-04-20 (retires_on in models.csv)")
    # May closes April with it; nothing else is said of the end
    books.publish(MAY)
    found = books.changes(date(2025, 5, 20))
    assert [(row["changed_on"], row["cause"]) for row in found] == [(date(2025, 4, 20), "retired")]
    assert found == told


def test_a_model_that_has_outlived_its_estimate_is_expected_four_weeks_more(books: Books, rows: Any) -> None:
    books.tables["model_lives"] = ends(rows, date(2025, 3, 15), "assumed")
    books.tables["expected_service"] = forecast(rows, date(2025, 3, 15), march=150.0)
    books.publish(MARCH)
    books.tables["expected_service"] = forecast(rows, date(2025, 4, 28), april=280.0)
    found = of(books.changes(APRIL), APRIL)
    assert found["cause"] == "forecast"
    assert found["explanation"] == (
        "forecast of 2025-04-01: 280 tokens are expected, 0 tokens were left before; it has outlived 2025-03-15 and is "
        "expected to 2025-04-28"
    )
