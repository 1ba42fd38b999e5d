"""Which tables stay in memory during a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse import tables
from warehouse.connection import Limits, connect
from warehouse.schemas.economics import EstimateDays, ProductionUnits


def models(*names: str) -> pl.DataFrame:
    units = pl.DataFrame({"model_id": names, "production_unit": ["tokens"] * len(names)})
    return ProductionUnits.frame(units)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    opened = connect(tmp_path, Limits(threads=1))
    yield opened
    opened.close()


def test_a_table_is_read_once_until_it_is_forgotten(connection: duckdb.DuckDBPyConnection) -> None:
    frames = tables.Frames(connection)
    assert frames["production_units"].is_empty()
    tables.write(connection, ProductionUnits, models("m"))

    assert frames["production_units"].is_empty()
    frames.forget("production_units")
    assert frames["production_units"]["model_id"].to_list() == ["m"]


def test_what_was_not_asked_for_longest_makes_room(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = models("a" * 1000), EstimateDays.empty()
    monkeypatch.setattr(tables, "KEPT_BYTES", 2 * first.estimated_size())
    frames = tables.Frames(connection)
    for name, rows in (("production_units", first), ("estimate_days", second), ("thirds", models("b" * 1000))):
        frames.keep(name, rows)
    assert frames["production_units"] is first

    frames.keep("goodput", models("c" * 1000))
    # the production units were asked for last, so the thirds went
    assert frames["production_units"] is first
    assert frames["thirds"].is_empty()


def test_a_table_too_large_to_keep_is_read_each_time(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "KEPT_BYTES", 10)
    tables.write(connection, ProductionUnits, models("m" * 100))
    frames = tables.Frames(connection)
    assert frames["production_units"] is not frames["production_units"]
    assert frames["production_units"].height == 1


def test_a_preview_shows_the_newest_rows_where_rows_have_times_else_the_first() -> None:
    days = [date(2026, 11, day) for day in range(1, 9)]

    newest = tables.cells(pl.DataFrame({"model_id": ["heron"] * 8, "day": days, "usd": [None, *range(7)]}))
    first = tables.cells(pl.DataFrame({"model_id": [f"model-{number}" for number in range(8)]}))

    assert [row["day"] for row in newest] == [f"2026-11-0{day}" for day in (8, 7, 6, 5, 4)]
    assert [row["model_id"] for row in first] == [f"model-{number}" for number in range(5)]


def test_a_preview_says_nothing_of_what_is_not_known_and_cuts_what_no_screen_shows() -> None:
    (row,) = tables.cells(
        pl.DataFrame({"usd": [None], "name": ["n" * 100_000]}, schema={"usd": pl.Float64, "name": pl.String})
    )

    assert row["usd"] == ""
    assert len(row["name"]) == tables.LONGEST_CELL
