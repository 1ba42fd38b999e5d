"""Small tables for the economics, written by a test row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from warehouse.schemas import CATALOGUE

Rows = Callable[..., pl.DataFrame]


def _blank(dtype: pl.DataType) -> object:
    """A value that says nothing, for columns that may not be null and that a test is not about."""
    if isinstance(dtype, pl.List):
        return []
    blanks: dict[type[pl.DataType], object] = {
        pl.String: "", pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False, pl.Decimal: Decimal(0),
        pl.Date: date(2025, 1, 1), pl.Datetime: datetime(2025, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return blanks[type(dtype)]


def _typed(value: object, dtype: pl.DataType) -> object:
    """Money may be written as a text or a whole number."""
    if isinstance(dtype, pl.Decimal) and value is not None:
        return Decimal(str(value))
    return value


@pytest.fixture(scope="session")
def rows() -> Rows:
    """Rows of a table by its name: what a test leaves out is null where it may be, else blank."""

    def build(table: str, *written: Mapping[str, Any]) -> pl.DataFrame:
        columns = CATALOGUE[table].columns()
        complete: Sequence[dict[str, Any]] = [
            {
                name: _typed(row.get(name, None if column.is_nullable else _blank(column.dtype)), column.dtype)
                for name, column in columns.items()
            }
            for row in written
        ]
        unknown = {name for row in written for name in row} - set(columns)
        assert not unknown, f"{table} has no column {unknown}"
        return pl.DataFrame(complete, schema=CATALOGUE[table].polars_schema())

    return build


@pytest.fixture(scope="session")
def night(rows: Rows) -> Callable[..., pl.DataFrame]:
    """Settings of a night with equal thirds and a dead band of 10 %, in US dollars."""

    def build(as_of: date, **given: Any) -> pl.DataFrame:
        weights = {"pretraining_weight": 1.0, "posttraining_weight": 1.0, "inference_weight": 1.0}
        return rows("settings", {"as_of": as_of, "currency": "USD", **weights, "dead_band_ratio": 0.10, **given})

    return build
