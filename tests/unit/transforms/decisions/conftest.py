"""A small company whose numbers can be worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from warehouse.schemas import CATALOGUE

NIGHT = dt.date(2026, 11, 21)
_DEFAULTS: Mapping[type, Any] = {pl.String: "", pl.Boolean: False, pl.Date: NIGHT}

TableOf = Callable[[str, Sequence[Mapping[str, Any]]], pl.DataFrame]


def _default(name: str, table: str) -> object:
    column = CATALOGUE[table].columns()[name]
    if column.is_nullable:
        return None
    if column.allowed:
        return column.allowed[0]
    if isinstance(column.dtype, pl.List):
        return []
    if isinstance(column.dtype, pl.Datetime):
        return dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    return _DEFAULTS.get(type(column.dtype), 0)


def rows_of(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows as the table, with nulls and zeros where a test says nothing."""
    names = CATALOGUE[table].columns()
    full = [{name: row.get(name, _default(name, table)) for name in names} for row in rows]
    return pl.DataFrame(full, schema=CATALOGUE[table].polars_schema(), strict=False)


@pytest.fixture
def table_of() -> TableOf:
    return rows_of


@dataclass
class Company:
    """The tables that decisions read, grown by the tests line by line."""

    settings: Mapping[str, Any] = field(
        default_factory=lambda: {
            "as_of": NIGHT,
            "law": "auto",
            "draws": 400,
            "materiality_usd": Decimal(1000),
            "evaluation_usd": Decimal(50000),
            "migration_usd": Decimal(20000),
            "dead_band_ratio": 0.1,
        }
    )
    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **row: object) -> Company:
        """One more row of a table."""
        self.rows.setdefault(table, []).append(row)
        return self

    def serve(self, model_id: str, tokens_a_day: float, days: int, task: str | None = None) -> Company:
        """Telemetry of so many days up to the night, the same each day."""
        for back in range(days):
            hour = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC) - dt.timedelta(days=back)
            counts = {"input_tokens": int(tokens_a_day), "weighted_tokens_milli": int(tokens_a_day) * 1000}
            self.add("token_usage", hour=hour, model_id=model_id, task=task, status="ok", **counts)
        return self

    def table(self, name: str) -> pl.DataFrame:
        """One table by name, empty where nothing was added."""
        return rows_of(name, [self.settings] if name == "settings" else self.rows.get(name, []))

    def compute(self, function: Callable[..., pl.DataFrame], **given: pl.DataFrame) -> pl.DataFrame:
        """A transform on this company's tables, or on those given."""
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        return function(**{name: given[name] if name in given else self.table(name) for name in names})


@pytest.fixture
def company() -> Company:
    """A teacher at 10 dollars and a student at 2 dollars a million tokens, both retiring in a year."""
    year = dt.date(2027, 11, 21)
    made = Company()
    for model_id, price, params in (("teacher", "10", 70e9), ("student", "2", 8e9)):
        made.add("models", model_id=model_id, params=params, origin="own", retires_on=year, family=model_id)
        month = {"month": dt.date(2026, 10, 1), "model_id": model_id, "input_tokens": 10**9}
        made.add("unit_costs", **month, used_usd_per_mtok=Decimal(price), allocated_usd_per_mtok=Decimal(price))
    return made.serve("student", 1e6, 30)
