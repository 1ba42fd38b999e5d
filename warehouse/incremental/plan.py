"""Tables computed day by day, or month by month: a night computes only what changed.

What a day was made of, its recipe, is a digest of the days and tables that it reads and of the code that reads them;
where it differs from the recipe that stands beside the day, the day is stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from inspect import signature
from typing import Final

import duckdb
import polars as pl

from warehouse.incremental import fingerprints
from warehouse.incremental.dependencies import WITHIN, Read, read_of
from warehouse.incremental.fingerprints import Facts, axis_of, column_of
from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table
from warehouse.tables import append, transaction

ROWS_AT_ONCE: Final = 250_000
"""How many rows a portion of days may read of the tables that are cut into days, unless a single day has more."""

_LAYOUT: Final = {"name": pl.String, "day": pl.Date, "recipe": pl.String, "content": pl.String, "held": pl.Int64}


Transform = Callable[..., pl.DataFrame]


@dataclass(frozen=True)
class Renewal:
    """What a night did to a table: the days it computed and took away, and the rows that each check doubts."""

    computed: Sequence[date]
    gone: Sequence[date]
    doubted: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Stale:
    """The days of a table that differ from what they would be made of now, in portions; `gone` are days no more."""

    table: type[Table]
    reads: Sequence[Read]
    portions: Sequence[Sequence[date]]
    gone: Sequence[date]
    recipes: Mapping[date, str]


class Slices:
    """The days of the tables of one warehouse on one night; `code` gives a digest of all that computes a stage."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, code: Callable[[str], str], night: date) -> None:
        self._connection = connection
        self._code = code
        self._night = night
        columns = "name VARCHAR, day DATE, recipe VARCHAR, content VARCHAR, held BIGINT"
        connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
        connection.execute(f"CREATE TABLE IF NOT EXISTS meta.slices ({columns})")

    def renew(self, function: Transform, checks: Sequence[Transform] = ()) -> Renewal:
        """Compute the days of the function's table that changed, in portions, and let each check see them.

        Where a check names rows that it doubts, the days are computed and checked again by the next night.

        Raises:
            pandera.errors.SchemaErrors: naming every column and row that breaks the schema.
        """
        table, reads = CATALOGUE[function.__name__], [CATALOGUE[name] for name in signature(function).parameters]
        stale = self.stale(table, reads)
        doubted_rows: dict[str, list[pl.DataFrame]] = {check.__name__: [pl.DataFrame()] for check in checks}
        for days in stale.portions:
            frames = {read.table.table_name: self.read(read, days) for read in stale.reads}
            frames[table.table_name] = rows_of(table, days, function(**frames))
            doubted = {check.__name__: check(**_arguments(check, frames)) for check in checks}
            self.write(stale, days, frames[table.table_name], list(doubted.values()))
            for name, rows in doubted.items():
                doubted_rows[name].append(rows)
        self.forget(stale)
        computed = [day for days in stale.portions for day in days]
        return Renewal(
            computed, stale.gone, {name: pl.concat(rows, how="diagonal") for name, rows in doubted_rows.items()}
        )

    def stale(self, table: type[Table], tables: Sequence[type[Table]]) -> Stale:
        """The days of the table that must be computed, reading these tables, and those that are no more."""
        reads = [read_of(self._connection, read, axis_of(table), self._night) for read in tables]
        code = (self._code(table.table_stage), table.qualified())
        recipes = {
            day: _digest(*code, *(read.made_of(day) for read in reads))
            for day in sorted(set().union(*(read.days for read in reads)))
        }
        query = "SELECT day, recipe FROM meta.slices WHERE name = ?"
        recorded = dict(self._connection.execute(query, [table.table_name]).fetchall())
        rows = {
            day: sum(read.days.get(day, 0) for read in reads)
            for day, recipe in recipes.items()
            if recorded.get(day) != recipe
        }
        return Stale(table, reads, list(_portions(rows)), sorted(recorded.keys() - recipes.keys()), recipes)

    def read(self, read: Read, days: Sequence[date]) -> pl.DataFrame:
        """The rows that these days need, in the types of their schema; it may be more rows."""
        where, parameters = read.rows(days)
        query = f"SELECT * FROM {read.table.qualified()} WHERE {where}"
        return read.table.frame(self._connection.sql(query, params=list(parameters)).pl())

    def write(self, stale: Stale, days: Sequence[date], rows: pl.DataFrame, doubted: Sequence[pl.DataFrame]) -> None:
        """Replace these days of the table by their rows.

        Where a check has named rows that it doubts, the days are computed and checked again by the next night.
        """
        is_believed = all(rows_of_check.is_empty() for rows_of_check in doubted)
        with transaction(self._connection):
            self._replace(stale.table, days, rows, {day: stale.recipes[day] if is_believed else "" for day in days})

    def forget(self, stale: Stale) -> None:
        """Take away the days of the table that are no more."""
        if stale.gone:
            with transaction(self._connection):
                self._replace(stale.table, stale.gone, stale.table.empty(), {})

    def _replace(
        self, table: type[Table], days: Sequence[date], rows: pl.DataFrame, recipes: Mapping[date, str]
    ) -> None:
        axis, name = axis_of(table), table.table_name
        within = f"{column_of(table, axis)} {WITHIN}"
        self._connection.execute(f"DELETE FROM {table.qualified()} WHERE {within}", [list(days)])
        self._connection.execute(f"DELETE FROM meta.slices WHERE name = ? AND day {WITHIN}", [name, list(days)])
        append(self._connection, table.qualified(), rows)
        fingerprint_by_day = fingerprints.content(self._connection, table, axis, f"WHERE {within}", [list(days)])
        facts = [(name, day, recipe, *fingerprint_by_day.get(day, Facts("", 0))) for day, recipe in recipes.items()]
        append(self._connection, "meta.slices", pl.DataFrame(facts, schema=_LAYOUT, orient="row"))


def rows_of(table: type[Table], days: Sequence[date], rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of these days, valid and in the types of the schema; rows of other days are dropped.

    Raises:
        pandera.errors.SchemaErrors: naming every column and row that breaks the schema.
    """
    day = pl.col(table.table_partition or "").cast(pl.Date)
    valid = table.frame(rows).filter(day.is_in(pl.Series(days, dtype=pl.Date).implode()))
    table.validation().validate(valid, lazy=True)
    return valid


def _arguments(function: Transform, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: frames[name] for name in signature(function).parameters}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _portions(rows: Mapping[date, int]) -> Iterator[list[date]]:
    """The days in order, as many at once as fit."""
    portion: list[date] = []
    held = 0
    for day in sorted(rows):
        if portion and held + rows[day] > ROWS_AT_ONCE:
            yield portion
            portion, held = [], 0
        portion.append(day)
        held += rows[day]
    if portion:
        yield portion
