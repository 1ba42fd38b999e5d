"""Remembers what was published: reads the tables of published nights that are not remembered yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse import exports, publish, tables
from warehouse.schemas.decisions import LawDraws
from warehouse.schemas.history import (
    PastLawDraws,
    PastRecommendations,
    PublishedAmortization,
    PublishedBills,
    PublishedNights,
    PublishedPeriods,
    ReportedMonths,
)
from warehouse.schemas.table import Table

REMEMBERED: Final[dict[type[Table], str]] = {
    PublishedPeriods: "reconciliation.csv",
    PastRecommendations: "recommendations.csv",
}
# What a month is closed with: of each month only the first night says it.
CLOSING: Final[dict[type[Table], str]] = {
    PublishedAmortization: "amortization.csv",
    ReportedMonths: "tables/charged_months.parquet",
}


def remember(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Bring the history tables up to the published directories; only nights that are new to them are read.

    Of each month the first night alone is asked later what it had read and how training was carried: it is the first to
    report the month before as closed. Which night that is changes when an earlier one is made up; what is remembered is
    the same in whatever order nights were published.
    """
    standing = publish.nights(published)
    query = f"SELECT night, revision FROM {PublishedNights.qualified()}"
    remembered: dict[date, int] = dict(connection.execute(query).fetchall())
    connection.begin()
    firsts, were_firsts = _firsts(standing), _firsts(remembered)
    for night in remembered.keys() - standing.keys():
        _forget(connection, night, PublishedNights, *REMEMBERED)
    for night in were_firsts - firsts:
        _forget(connection, night, PublishedBills, *CLOSING)
    for night, revision in sorted(standing.items()):
        if remembered.get(night) != revision:
            _forget(connection, night, PublishedNights, PublishedBills, *REMEMBERED, *CLOSING)
            connection.execute(f"INSERT INTO {PublishedNights.qualified()} VALUES (?, ?)", [night, revision])
            _learn(connection, night, publish.directory(published, night, revision), REMEMBERED)
        if night in firsts and (remembered.get(night) != revision or night not in were_firsts):
            _learn(connection, night, publish.directory(published, night, revision), CLOSING)
            _insert(connection, PublishedBills, _bills(published, night, revision))
    connection.commit()
    tables.write(connection, PastLawDraws, tables.read(connection, LawDraws))


def first_day(published: Path) -> date | None:
    """The first day of the ledger that the newest night published; None before the first."""
    ledger = published / publish.CURRENT / "ledger"
    months = sorted(path.stem for path in ledger.glob("????-??.parquet"))
    if months:
        return date.fromisoformat(f"{months[0]}-01")
    whole = ledger.with_suffix(".parquet")
    return pl.scan_parquet(whole).select(pl.col("charge_date").min()).collect().item() if whole.is_file() else None


def _forget(connection: duckdb.DuckDBPyConnection, night: date, *remembered: type[Table]) -> None:
    for table in remembered:
        connection.execute(f"DELETE FROM {table.qualified()} WHERE night = ?", [night])


def _learn(connection: duckdb.DuckDBPyConnection, night: date, directory: Path, files: dict[type[Table], str]) -> None:
    for table, file in files.items():
        path = directory / file
        if path.suffix == ".csv":
            rows = exports.read_csv(path.read_bytes(), table)
        elif path.is_file():
            rows = pl.read_parquet(path)
        else:  # a night of a release that did not write it
            continue
        _insert(connection, table, rows.with_columns(night=pl.lit(night)))


def _firsts(nights: Iterable[date]) -> set[date]:
    """The first night of each month."""
    return {min(of_month) for _, of_month in groupby(sorted(nights), key=lambda night: night.replace(day=1))}


def _bills(published: Path, night: date, revision: int) -> pl.DataFrame:
    """The files of the sources whose charges the night reported, from its manifest."""
    document = publish.manifest(published, night, revision)
    billed = {total["source"] for total in document["totals"]}
    rows = [
        {"night": night} | {name: entry[name] for name in ("source", "file", "sha256")}
        for entry in document["inputs"]
        if entry["source"] in billed
    ]
    return PublishedBills.frame(pl.DataFrame(rows, schema=PublishedBills.polars_schema())).unique()


def _insert(connection: duckdb.DuckDBPyConnection, table: type[Table], rows: pl.DataFrame) -> None:
    tables.append(connection, table.qualified(), table.frame(rows))
