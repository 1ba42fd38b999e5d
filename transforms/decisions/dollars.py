"""Estimates in floating point become money in whole cents, so that no digit claims what nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from warehouse.schemas.columns import MONEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warehouse.schemas.table import Table

_CENTS: Final = pl.Decimal(38, 2)


def money_columns(table: type[Table]) -> list[str]:
    """Columns of exact decimals."""
    return [name for name, dtype in table.polars_schema().items() if isinstance(dtype, pl.Decimal)]


def rows_in_cents(table: type[Table], rows: Iterable[Mapping[str, Any]], **more: pl.DataType) -> pl.DataFrame:
    """Rows with estimates as a frame of the table's types, money in whole cents; `more` are columns beside it."""
    money = money_columns(table)
    types = {name: pl.Float64() if name in money else dtype for name, dtype in table.polars_schema().items()} | more
    frame = pl.DataFrame(list(rows), schema=types)
    return frame.with_columns(in_cents(pl.col(name)) for name in money)


def in_cents(amount: pl.Expr) -> pl.Expr:
    """An estimate as exact money, to the cent."""
    return amount.cast(_CENTS).cast(MONEY)
