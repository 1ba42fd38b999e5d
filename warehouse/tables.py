"""Reads and writes whole tables: what is written is validated first and replaced in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import polars as pl

from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table


def read(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> pl.DataFrame:
    """All rows of the table, in the types of its schema."""
    return table.frame(connection.sql(f"SELECT * FROM {table.qualified()}").pl())


class Frames(Mapping[str, pl.DataFrame]):
    """Every table of the warehouse by name, read when it is first asked for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._read: dict[str, pl.DataFrame] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._read:
            self._read[name] = read(self._connection, CATALOGUE[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CATALOGUE)

    def __len__(self) -> int:
        return len(CATALOGUE)


def count(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> int:
    """How many rows the table has."""
    return int(connection.execute(f"SELECT count(*) FROM {table.qualified()}").fetchall()[0][0])


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
    connection.begin()
    try:
        _fill(connection, table, valid)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return valid


def replace(connection: duckdb.DuckDBPyConnection, table: type[Table], rows: pl.DataFrame) -> None:
    """As `write`, within the transaction that is open."""
    valid = table.frame(rows)
    table.validation().validate(valid, lazy=True)
    _fill(connection, table, valid)


def _fill(connection: duckdb.DuckDBPyConnection, table: type[Table], valid: pl.DataFrame) -> None:
    connection.execute(f"DELETE FROM {table.qualified()}")
    connection.register("incoming", valid.to_arrow())
    connection.execute(f"INSERT INTO {table.qualified()} SELECT * FROM incoming")
    connection.unregister("incoming")


def preview(rows: pl.DataFrame) -> str:
    """The first five rows as a fenced block of text, so that no viewer takes a name for markup."""
    with pl.Config(tbl_cols=-1, tbl_rows=5, tbl_width_chars=400, fmt_str_lengths=40, tbl_hide_dataframe_shape=True):
        text = str(rows.head(5)).replace("```", "'''")
    return f"```text\n{text}\n```"
