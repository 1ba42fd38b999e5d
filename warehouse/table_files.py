"""Tables of a night as Parquet for other tools: rows in order of their key, so that equal content is equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow.parquet as pq

from warehouse.schemas.table import Table

ROWS_AT_ONCE: Final = 100_000
FOLDER: Final = "tables"


def write_tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[type[Table]], without: tuple[str, ...]
) -> dict[str, Path]:
    """`tables/<table>.parquet` of each table, but for the columns `without`; the paths by name."""
    (folder / FOLDER).mkdir()
    return {f"{FOLDER}/{table.table_name}.parquet": _write(connection, folder, table, without) for table in tables}


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, table: type[Table], without: tuple[str, ...]) -> Path:
    empty = table.empty().drop(without, strict=False)
    layout = empty.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    order = ", ".join(f'"{name}"' for name in table.table_key or empty.columns)
    path = folder / FOLDER / f"{table.table_name}.parquet"
    rows = connection.sql(f"SELECT * FROM {table.qualified()} ORDER BY {order}")
    with pq.ParquetWriter(path, layout, compression="zstd") as parquet:
        for batch in rows.to_arrow_reader(ROWS_AT_ONCE):
            typed = table.frame(pl.DataFrame(batch)).select(empty.columns)
            parquet.write_table(typed.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(layout))
    return path
