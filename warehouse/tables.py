"""Reads and writes whole tables: what is written is validated first and replaced in one transaction."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa

from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table

LONGEST_CELL: Final = 60
KEPT_BYTES: Final = 256 * 2**20
"""How much of the tables stays in memory during a run; those not asked for longest are read again when they are."""
_AS_HELD: Final = pl.CompatLevel.newest()
"""Text stays as Polars holds it, which the database reads as it is."""


def read(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> pl.DataFrame:
    """All rows of the table, in the types of its schema."""
    return table.frame(connection.sql(f"SELECT * FROM {table.qualified()}").pl())


class Frames(Mapping[str, pl.DataFrame]):
    """Every table of the warehouse by name, read when it is first asked for; as many as fit are kept.

    `require` is asked before a table is read, and raises where it must not be.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        require: Callable[[Sequence[type[Table]]], None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._require = require
        self._kept: dict[str, pl.DataFrame] = {}
        self._bytes: dict[str, int] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name in self._kept:
            self._kept[name] = self._kept.pop(name)
            return self._kept[name]
        self._require([CATALOGUE[name]])
        rows = read(self._connection, CATALOGUE[name])
        self.keep(name, rows)
        return rows

    def keep(self, name: str, rows: pl.DataFrame) -> None:
        """Know what the table holds now."""
        self.forget(name)
        self._kept[name], self._bytes[name] = rows, int(rows.estimated_size())
        while sum(self._bytes.values()) > KEPT_BYTES:
            self.forget(next(iter(self._kept)))

    def forget(self, name: str) -> None:
        """Read the table again when it is next asked for: it was written past this."""
        self._kept.pop(name, None)
        self._bytes.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(CATALOGUE)

    def __len__(self) -> int:
        return len(CATALOGUE)


def count(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> int:
    """How many rows the table has."""
    return int(connection.execute(f"SELECT count(*) FROM {table.qualified()}").fetchall()[0][0])


def content_version(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> str:
    """A name for what the table holds: the same rows in any order, but for the clock of the run, have the same."""
    compared = "* EXCLUDE (built_at)" if "built_at" in table.columns() else "*"
    query = (
        f"SELECT count(*), sum(hash(every_row)::UHUGEINT) FROM (SELECT {compared} FROM {table.qualified()}) every_row"
    )
    rows, hashed = connection.execute(query).fetchall()[0]
    return f"{rows}-{int(hashed or 0):x}"


def head(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> pl.DataFrame:
    """Some rows of the table, for a look."""
    rows: pl.DataFrame = connection.sql(f"SELECT * FROM {table.qualified()} LIMIT 5").pl()
    return rows


def write(connection: duckdb.DuckDBPyConnection, table: type[Table], rows: pl.DataFrame) -> pl.DataFrame:
    """Replace the table's rows by `rows`, or leave it as it was.

    Raises:
        pandera.errors.SchemaErrors: naming every column and row that breaks the schema.
    """
    valid = table.frame(rows)
    table.validation().validate(valid, lazy=True)
    with transaction(connection):
        _fill(connection, table, valid)
    return valid


def replace(connection: duckdb.DuckDBPyConnection, table: type[Table], rows: pl.DataFrame) -> None:
    """As `write`, within the transaction that is open."""
    valid = table.frame(rows)
    table.validation().validate(valid, lazy=True)
    _fill(connection, table, valid)


def _fill(connection: duckdb.DuckDBPyConnection, table: type[Table], valid: pl.DataFrame) -> None:
    connection.execute(f"DELETE FROM {table.qualified()}")
    append(connection, table.qualified(), valid)


def append(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Rows at the end of a table of this code; they are valid and have its columns in order."""
    _append(connection, name, rows.to_arrow(compat_level=_AS_HELD))


def append_parts(connection: duckdb.DuckDBPyConnection, table: type[Table], parts: Iterable[pl.DataFrame]) -> None:
    """Valid rows of a table, one part in memory at a time, written by one statement.

    A statement for each part would leave row groups half full, which the database writes anew when it closes.
    """
    batches = itertools.chain.from_iterable(part.to_arrow(compat_level=_AS_HELD).to_batches() for part in parts)
    schema = table.empty().to_arrow(compat_level=_AS_HELD).schema
    _append(connection, table.qualified(), pa.RecordBatchReader.from_batches(schema, batches))


def _append(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
    connection.unregister("incoming")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything within is written, or nothing."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.TransactionException):  # a failed commit has rolled back by itself
            connection.rollback()
        raise


def cells(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Five rows as texts, the newest where they have times, each cell cut to what a screen shows."""
    times = [name for name, kind in rows.schema.items() if kind.is_temporal()]
    shown = rows.top_k(5, by=times[0]) if times else rows.head(5)
    return [
        {name: "" if cell is None else str(cell)[:LONGEST_CELL] for name, cell in row.items()}
        for row in shown.iter_rows(named=True)
    ]
