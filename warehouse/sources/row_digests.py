"""Digests of rows, over typed values: the same row gives the same digest whatever file format carried it."""

from __future__ import annotations

from functools import cache
from typing import Final

import duckdb
import polars as pl

DIGITS: Final = 32
_NAME_ENDS: Final = "\x1f"
_CELL_ENDS: Final = "\x1e"


def row_digests(rows: pl.DataFrame) -> pl.Series:
    """SHA-256, cut to 128 bits, of the cells that say something, by column name: no order and no empty column counts.

    Control characters are refused before, so that no cell can look like two.
    """
    cells = [_cell(name, dtype) for name, dtype in sorted(rows.schema.items())]
    content = rows.select(pl.concat_str(cells, ignore_nulls=True).alias("content"))
    return _digested(content)


def _cell(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    text = value.to_physical().cast(pl.String) if dtype.is_temporal() else value.cast(pl.String)
    says = text.is_not_null() & (text != "") if dtype == pl.String else text.is_not_null()
    return pl.when(says).then(pl.lit(name + _NAME_ENDS) + text + _CELL_ENDS)


def _digested(content: pl.DataFrame) -> pl.Series:
    digester = _digester()
    digester.register("rows", content.to_arrow())
    try:
        found: pl.DataFrame = digester.sql(f"SELECT left(sha256(content), {DIGITS}) AS digest FROM rows").pl()
    finally:
        digester.unregister("rows")
    return found["digest"]


@cache
def _digester() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("SET enable_external_access = false")
    return connection
