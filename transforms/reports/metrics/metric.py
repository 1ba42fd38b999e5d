"""A number that the report refers to: defined once, as the query that returns it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

TWELVE_PLACES: Final = Decimal("0.000000000001")
EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN)
"""Wide enough for twelve places of any double; the 28 digits of the default end at ten quadrillion tokens."""


@dataclass(frozen=True)
class Number:
    """One number: `SELECT expression FROM relation WHERE filter`, in SQL that Polars and DuckDB both understand."""

    page: str
    number_id: str
    title: str
    unit: str
    relation: str
    expression: str
    fields: str
    filter: str = ""
    position: int = 0
    value: Decimal | None = None
    run: str = ""
    input_digest: str = ""

    @property
    def query(self) -> str:
        """The SQL that returns the number as its one value."""
        condition = f" WHERE {self.filter}" if self.filter else ""
        return f"SELECT {self.expression} AS value FROM {self.relation}{condition}"

    def valued(self, tables: pl.SQLContext[pl.DataFrame]) -> Number:
        """The number with the value that its query returns."""
        return replace(self, value=exact_value(tables.execute(self.query).item()))


def exact_value(query_value: object) -> Decimal | None:
    """What a query returned as a decimal with twelve places; None where there is nothing finite."""
    if query_value is None:
        return None
    value = query_value if isinstance(query_value, Decimal) else Decimal(repr(query_value))
    return value.quantize(TWELVE_PLACES, context=EXACT) if value.is_finite() else None


def context(tables: Mapping[str, pl.DataFrame]) -> pl.SQLContext[pl.DataFrame]:
    """A place to ask queries of tables under their qualified names."""
    return pl.SQLContext(dict(tables), eager=True)


def literal(value: str | date) -> str:
    """A value within SQL text."""
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
