"""Remembers what was published: reads the tables of published nights that are not remembered yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse import exports, publish, tables
from warehouse.schemas.decisions import LawDraws
from warehouse.schemas.history import PastLawDraws, PastRecommendations, PublishedNights, PublishedPeriods
from warehouse.schemas.table import Table

REMEMBERED: Final[dict[type[Table], str]] = {
    PublishedPeriods: "reconciliation.csv",
    PastRecommendations: "recommendations.csv",
}


def remember(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Bring the history tables up to the published directories; only nights that are new to them are read."""
    standing = publish.nights(published)
    query = f"SELECT night, revision FROM {PublishedNights.qualified()}"
    known: dict[date, int] = dict(connection.execute(query).fetchall())
    connection.begin()
    for night in known.keys() - standing.keys():
        _forget(connection, night)
    for night, revision in sorted(standing.items()):
        if known.get(night) != revision:
            _forget(connection, night)
            _learn(connection, night, revision, publish.directory(published, night, revision))
    connection.commit()
    tables.write(connection, PastLawDraws, tables.read(connection, LawDraws))


def _forget(connection: duckdb.DuckDBPyConnection, night: date) -> None:
    remembered: tuple[type[Table], ...] = (PublishedNights, *REMEMBERED)
    for table in remembered:
        connection.execute(f"DELETE FROM {table.qualified()} WHERE night = ?", [night])


def _learn(connection: duckdb.DuckDBPyConnection, night: date, revision: int, directory: Path) -> None:
    connection.execute(f"INSERT INTO {PublishedNights.qualified()} VALUES (?, ?)", [night, revision])
    for table, file in REMEMBERED.items():
        rows = exports.read_csv((directory / file).read_bytes(), table)
        typed = table.frame(rows.with_columns(night=pl.lit(night)))
        connection.register("published", typed.to_arrow())
        connection.execute(f"INSERT INTO {table.qualified()} SELECT * FROM published")
        connection.unregister("published")
