"""Which night each table holds: the warehouse holds one night, and a run may ask for another.

A table that is being written holds no night until it is whole, so that a kill leaves none that looks like one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

import duckdb

from warehouse.schemas.table import Table

LAYOUT: Final = "CREATE TABLE IF NOT EXISTS meta.table_nights (name VARCHAR, night DATE)"


class OtherNight(NamedTuple):
    """A table that does not hold the night asked for; `night` is the one it holds, None where it is not whole."""

    name: str
    night: date | None


def others(connection: duckdb.DuckDBPyConnection, tables: Iterable[type[Table]], night: date) -> list[OtherNight]:
    """Which of the tables hold another night, or none, in their order."""
    stamps: dict[str, date] = dict(connection.execute("SELECT name, night FROM meta.table_nights").fetchall())
    names = [table.qualified() for table in tables]
    return [OtherNight(name, stamps.get(name)) for name in names if stamps.get(name) != night]


def begin(connection: duckdb.DuckDBPyConnection, tables: Sequence[type[Table]]) -> None:
    """The tables are about to be written, and hold no night until `finish`."""
    names = [table.qualified() for table in tables]
    connection.execute("DELETE FROM meta.table_nights WHERE name IN (SELECT unnest(?))", [names])


def finish(connection: duckdb.DuckDBPyConnection, tables: Sequence[type[Table]], night: date) -> None:
    """The tables are whole and hold the night."""
    names = [table.qualified() for table in tables]
    connection.execute("INSERT INTO meta.table_nights SELECT unnest(?), ?", [names, night])
