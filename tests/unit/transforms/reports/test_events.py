"""What is known to come while the forecast runs."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from transforms.reports.events import events
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 11, 20)
SETTINGS = pl.DataFrame({"as_of": [NIGHT]})


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = CATALOGUE[name]
    return schema.frame(pl.DataFrame(list(rows), schema_overrides=schema.polars_schema())) if rows else schema.empty()


FORECAST = table("outlook", {"month": date(2026, 10, 1)}, {"month": date(2027, 3, 1)})


def model(name: str, released_on: date | None, retires_on: date | None) -> dict[str, Any]:
    return {"model_id": name, "aliases": [], "origin": "own", "released_on": released_on, "retires_on": retires_on}


def known(*models: dict[str, Any], outlook: pl.DataFrame = FORECAST, ends: tuple[date, ...] = ()) -> list[Any]:
    commitments = [
        {"source": "aws", "commitment_discount_id": f"c{n}", "currency": "USD", "last_day": day}
        for n, day in enumerate(ends)
    ]
    rows = events(SETTINGS, outlook, table("models", *models), table("commitments", *commitments))
    return rows.rows()


def test_releases_retirements_and_ends_of_commitments_stand_in_the_order_of_time() -> None:
    atlas = model("atlas", date(2026, 12, 15), date(2027, 2, 1))
    assert known(atlas, ends=(date(2026, 11, 30),)) == [
        (date(2026, 11, 30), "commitment_ends", "c0"),
        (date(2026, 12, 15), "release", "atlas"),
        (date(2027, 2, 1), "retirement", "atlas"),
    ]


def test_what_is_past_or_after_the_forecast_is_no_event_of_it() -> None:
    past = model("birch", NIGHT, date(2027, 4, 1))  # released on the night itself; the forecast ends with March
    assert known(past, ends=(date(2026, 11, 20), date(2027, 4, 30))) == []


def test_a_model_without_dates_is_no_event() -> None:
    assert known(model("cedar", None, None)) == []


def test_the_last_day_of_the_forecast_counts() -> None:
    assert known(ends=(date(2027, 3, 31),)) == [(date(2027, 3, 31), "commitment_ends", "c0")]


def test_without_a_forecast_nothing_is_said_of_what_comes() -> None:
    assert known(ends=(date(2026, 11, 30),), outlook=CATALOGUE["outlook"].empty()) == []
