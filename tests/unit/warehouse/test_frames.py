"""Which tables stay in memory during a run."""

from __future__ import annotations

from collections.abc import Iterator
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
