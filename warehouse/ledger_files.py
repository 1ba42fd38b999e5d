"""The ledger as files of a published night: a Parquet file a month, and the latest two months as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import exports
from warehouse.schemas.ledger import Postings

ROWS_AT_ONCE: Final = 100_000
"""How many rows are in memory at once, and in one row group of a Parquet file."""

CSV: Final = "ledger.csv"
_MONTH: Final = "date_trunc('month', charge_date)::DATE"


def write_ledger(
    connection: duckdb.DuckDBPyConnection, folder: Path, without: tuple[str, ...], night: date
) -> dict[str, Path]:
    """The postings in order of their key, but for the columns `without`; the paths by name.

    `ledger/<YYYY-MM>.parquet` has those of one month of charge_date; `ledger.csv` those of the night's month and of the
    one before it.
    """
    columns = Postings.empty().drop(without).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    months = f"SELECT DISTINCT {_MONTH} FROM {Postings.qualified()} ORDER BY 1"
    (folder / "ledger").mkdir()
    paths = {
        f"ledger/{month:%Y-%m}.parquet": _write_month(connection, folder, columns, month)
        for (month,) in connection.execute(months).fetchall()
    }
    paths[CSV] = folder / CSV
    first = (night.replace(day=1) - timedelta(days=1)).replace(day=1)
    with paths[CSV].open("xb") as text:
        text.write(exports.csv(Postings.empty().drop(without), ()))
        for rows in _portions(connection, columns, f"{_MONTH} BETWEEN ? AND ?", [first, night.replace(day=1)]):
            text.write(exports.csv(rows, ()).partition(b"\n")[2])
    return paths


def _write_month(connection: duckdb.DuckDBPyConnection, folder: Path, columns: pa.Schema, month: date) -> Path:
    path = folder / "ledger" / f"{month:%Y-%m}.parquet"
    with pq.ParquetWriter(path, columns, compression="zstd") as parquet:
        for rows in _portions(connection, columns, f"{_MONTH} = ?", [month]):
            parquet.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(columns))
    return path


def _portions(
    connection: duckdb.DuckDBPyConnection, columns: pa.Schema, where: str, parameters: list[date]
) -> Iterator[pl.DataFrame]:
    """Frames of so many rows each, but for the last, however the database hands them over."""
    order = ", ".join(Postings.table_key)
    held = Postings.empty().select(columns.names)
    query = f"SELECT * FROM {Postings.qualified()} WHERE {where} ORDER BY {order}"
    for batch in connection.sql(query, params=parameters).to_arrow_reader(ROWS_AT_ONCE):
        held = pl.concat([held, Postings.frame(pl.DataFrame(batch)).select(columns.names)])
        while held.height >= ROWS_AT_ONCE:
            yield held.head(ROWS_AT_ONCE)
            held = held.slice(ROWS_AT_ONCE)
    if not held.is_empty():
        yield held
