"""The ledger as files of a published night, written portion by portion, so that its length needs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow.parquet as pq

from warehouse import exports
from warehouse.schemas.ledger import Postings

ROWS_AT_ONCE: Final = 100_000
"""How many rows are in memory at once, and in one row group of the Parquet file."""

CSV: Final = "ledger.csv"
PARQUET: Final = "ledger.parquet"


def write_ledger(connection: duckdb.DuckDBPyConnection, folder: Path, without: tuple[str, ...]) -> dict[str, Path]:
    """All postings in order of their key, but for the columns `without`, as CSV and as Parquet; the paths by name."""
    paths = {name: folder / name for name in (CSV, PARQUET)}
    columns = Postings.empty().drop(without).to_arrow(compat_level=pl.CompatLevel.oldest())
    with (
        paths[CSV].open("xb") as text,
        pq.ParquetWriter(paths[PARQUET], columns.schema, compression="zstd") as parquet,
    ):
        text.write(exports.csv(Postings.empty().drop(without), ()))
        for rows in _portions(connection, without):
            text.write(exports.csv(rows, ()).partition(b"\n")[2])
            parquet.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(columns.schema))
    return paths


def _portions(connection: duckdb.DuckDBPyConnection, without: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Frames of so many rows each, but for the last, however the database hands them over."""
    order = ", ".join(Postings.table_key)
    held = Postings.empty().drop(without)
    for batch in connection.sql(f"SELECT * FROM {Postings.qualified()} ORDER BY {order}").to_arrow_reader(ROWS_AT_ONCE):
        held = pl.concat([held, Postings.frame(pl.DataFrame(batch)).drop(without)])
        while held.height >= ROWS_AT_ONCE:
            yield held.head(ROWS_AT_ONCE)
            held = held.slice(ROWS_AT_ONCE)
    if not held.is_empty():
        yield held
