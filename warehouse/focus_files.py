"""The ledger as allocated FOCUS charges: one Parquet and one CSV file, written in portions of days."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow.parquet as pq

from warehouse import exports
from warehouse.schemas.focus import FOCUS_CHARGES
from warehouse.schemas.ledger import Postings
from warehouse.schemas.policy import Models
from warehouse.schemas.staging import Charges
from warehouse.schemas.table import Table

PARQUET: Final = "focus.parquet"
CSV: Final = "focus.csv.gz"
ROWS_AT_ONCE: Final = 100_000
_FAST: Final = 3

Allocated = Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], pl.DataFrame]
"""Postings, their charges and the models become allocated charges in the columns of FOCUS."""


def write_focus(connection: duckdb.DuckDBPyConnection, folder: Path, allocated: Allocated) -> dict[str, Path]:
    """All postings as FOCUS charges in order of day and posting; the paths by name."""
    models = Models.frame(connection.sql(f"SELECT * FROM {Models.qualified()}").pl())
    empty = pl.DataFrame(schema=dict(FOCUS_CHARGES))
    layout = empty.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    paths = {name: folder / name for name in (PARQUET, CSV)}
    with (
        pq.ParquetWriter(paths[PARQUET], layout, compression="zstd") as parquet,
        paths[CSV].open("xb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_FAST, mtime=0) as text,
    ):
        text.write(exports.csv(empty, ()))
        for days in _portions(connection):
            postings = _of_days(connection, Postings, days).sort("charge_day", "posting_id")
            rows = allocated(postings, _of_days(connection, Charges, days), models)
            text.write(exports.csv(rows, ()).partition(b"\n")[2])
            parquet.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(layout))
    return paths


def _portions(connection: duckdb.DuckDBPyConnection) -> Iterator[list[date]]:
    """The days of the ledger, as many at once as fit into memory."""
    query = f"SELECT charge_day, count(*) FROM {Postings.qualified()} GROUP BY charge_day ORDER BY charge_day"
    days: list[date] = []
    held = 0
    for day, rows in connection.execute(query).fetchall():
        if days and held + rows > ROWS_AT_ONCE:
            yield days
            days, held = [], 0
        days.append(day)
        held += rows
    if days:
        yield days


def _of_days(connection: duckdb.DuckDBPyConnection, table: type[Table], days: list[date]) -> pl.DataFrame:
    query = f"SELECT * FROM {table.qualified()} WHERE charge_day BETWEEN ? AND ?"
    return table.frame(connection.sql(query, params=[days[0], days[-1]]).pl())
