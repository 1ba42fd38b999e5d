"""The files of a published night as bytes: same rows, same bytes, and no cell that a spreadsheet would run."""

from __future__ import annotations

import io
import json
from typing import Final

import polars as pl

from warehouse.schemas.table import Table

FORMULA_STARTS: Final = r"^[=+\-@\t\r]"


def csv(rows: pl.DataFrame, key: tuple[str, ...]) -> bytes:
    """The rows in order of `key`; text that starts like a formula gets an apostrophe before it."""
    guarded = [
        pl.when(pl.col(name).str.contains(FORMULA_STARTS)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, dtype in rows.schema.items()
        if dtype == pl.String()
    ]
    instants = [
        pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
        for name, dtype in rows.schema.items()
        if dtype == pl.Datetime("us", "UTC")
    ]
    ordered = rows.sort(key, nulls_last=False) if key else rows
    return ordered.with_columns(guarded + instants).write_csv().encode()


def read_csv(content: bytes, table: type[Table]) -> pl.DataFrame:
    """The rows of an exported CSV in the types of a table; apostrophes that guard formulas are taken off."""
    text = pl.read_csv(io.BytesIO(content), infer_schema=False)
    typed = [_typed(name, dtype) for name, dtype in table.polars_schema().items() if name in text.columns]
    return text.select(typed)


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    text = pl.col(name).str.replace(r"^'([=+\-@\t\r])", "$1")
    return text.str.to_date() if dtype == pl.Date() else text.cast(dtype)


def document(value: object) -> bytes:
    """A JSON document, readable and stable; a value that is neither text nor number is written as text."""
    return (json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def rows(table: pl.DataFrame, key: tuple[str, ...]) -> list[dict[str, object]]:
    """The rows in order of `key` (as they are, without one) as JSON objects; exact decimals as text."""
    exact = [pl.col(name).cast(pl.String()) for name, dtype in table.schema.items() if isinstance(dtype, pl.Decimal)]
    ordered = table.sort(key) if key else table
    return ordered.with_columns(exact).to_dicts()


def read_rows(content: bytes, table: type[Table]) -> pl.DataFrame:
    """The rows of an exported JSON document, in the types of their table."""
    written = pl.DataFrame(json.loads(content), schema_overrides=dict.fromkeys(_exact(table), pl.String()))
    return table.frame(written)


def _exact(table: type[Table]) -> list[str]:
    return [name for name, dtype in table.polars_schema().items() if isinstance(dtype, pl.Decimal)]
