"""Column types that carry a meaning and a unit, written once and used by every table.

A column knows its Polars type, its DuckDB type, its unit, whether it may be null and which values it allows;
the DDL, the Pandera schema and the documentation are all derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

MONEY_SCALE: Final = 12
MONEY: Final = pl.Decimal(38, MONEY_SCALE)
INSTANT: Final = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column of a table: its types, unit, meaning and what it may hold."""

    dtype: pl.DataType
    sql: str
    unit: str
    description: str
    is_nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None

    def or_null(self) -> Column:
        """The same column where an unknown value is NULL."""
        return replace(self, is_nullable=True)


def text(description: str) -> Column:
    """Free text or an identifier, as it was sent."""
    return Column(pl.String(), "VARCHAR", "", description)


def choice(description: str, *allowed: str) -> Column:
    """One word of a closed list."""
    return Column(pl.String(), "VARCHAR", "", description, allowed=allowed)


def texts(description: str) -> Column:
    """A list of texts."""
    return Column(pl.List(pl.String()), "VARCHAR[]", "", description)


def json(description: str) -> Column:
    """A JSON document as text."""
    return Column(pl.String(), "JSON", "", description)


def day(description: str) -> Column:
    """A calendar day in UTC."""
    return Column(pl.Date(), "DATE", "day, UTC", description)


def instant(description: str) -> Column:
    """A moment in UTC, cut to microseconds."""
    return Column(INSTANT, "TIMESTAMPTZ", "UTC", description)


def flag(description: str) -> Column:
    """True or false."""
    return Column(pl.Boolean(), "BOOLEAN", "", description)


def count(description: str, unit: str = "count") -> Column:
    """A whole number, zero or more."""
    return Column(pl.Int64(), "BIGINT", unit, description, minimum=0)


def integer(description: str, unit: str = "") -> Column:
    """A whole number of either sign."""
    return Column(pl.Int64(), "BIGINT", unit, description)


def cost(description: str) -> Column:
    """An exact amount in the currency of its row."""
    return Column(MONEY, f"DECIMAL(38,{MONEY_SCALE})", "currency of the row", description)


def usd(description: str) -> Column:
    """An exact amount in the reporting currency."""
    return Column(MONEY, f"DECIMAL(38,{MONEY_SCALE})", "reporting currency", description)


def exact(description: str, unit: str) -> Column:
    """An exact decimal that is no money: a rate, a quantity, a residual."""
    return Column(MONEY, f"DECIMAL(38,{MONEY_SCALE})", unit, description)


def residue(description: str) -> Column:
    """What rounding to the decimals of money left over: exact to the 18th decimal."""
    return Column(pl.Decimal(38, 18), "DECIMAL(38,18)", "currency of the rows", description)


def measure(description: str, unit: str) -> Column:
    """A measured or estimated quantity in floating point."""
    return Column(pl.Float64(), "DOUBLE", unit, description)


def ratio(description: str) -> Column:
    """A share or a ratio; 1 is the whole."""
    return measure(description, "ratio")
