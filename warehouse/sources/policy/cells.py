"""One cell of a policy file: text in, a typed value out, or a word on what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeVar

import polars as pl

from warehouse.schemas.columns import MONEY_SCALE, Column

Cell = str | int | float | Decimal | date | datetime | list[str]
Reader = Callable[[str], Cell]
N = TypeVar("N", float, Decimal)

NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MONTH: Final = re.compile(r"(\d{4}-\d{2})(-01)?", re.ASCII)
INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
LONGEST_NUMBER: Final = 60
LARGEST_AMOUNT: Final = Decimal(10) ** 20
LARGEST_WEIGHT: Final = Decimal(10) ** 6
THOUSAND: Final = Decimal(1000)


class BadCell(ValueError):  # noqa: N818 - the cell is bad, the reader is not
    """A cell that cannot be read: `what` is wrong with it and the `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def cell_reader(name: str, column: Column) -> Reader:
    """How a cell of this column is read; month and token weights are written in their own way."""
    if name == "month":
        return month
    if name.endswith("_milli"):
        return thousandths
    if column.allowed:
        return word_of(column.allowed)
    return READERS[type(column.dtype)](column)


def plain(cell: str) -> str:
    """Text as it stands, in NFC."""
    return unicodedata.normalize("NFC", cell)


def names(cell: str) -> list[str]:
    """Names separated by semicolons, in the order they stand in."""
    return [plain(name.strip()) for name in cell.split(";") if name.strip()]


def word_of(allowed: tuple[str, ...]) -> Reader:
    """One word of a closed list, in any case."""

    def read(cell: str) -> str:
        if cell.lower() not in allowed:
            raise BadCell("unknown word", f"write one of {', '.join(allowed)}")
        return cell.lower()

    return read


def day(cell: str) -> date:
    """A calendar day."""
    if not DAY.fullmatch(cell):
        raise BadCell("no date", "write it as 2026-11-20")
    try:
        return date.fromisoformat(cell)
    except ValueError as error:
        raise BadCell("impossible date", "write a day of the calendar, as 2026-11-20") from error


def month(cell: str) -> date:
    """The first day of a month, written 2026-11 or 2026-11-01."""
    match = MONTH.fullmatch(cell)
    if not match:
        raise BadCell("no month", "write it as 2026-11")
    return day(f"{match[1]}-01")


def instant(cell: str) -> datetime:
    """A day or a time; without an offset it is UTC."""
    if not INSTANT.fullmatch(cell):
        raise BadCell("no date or time", "write it as 2026-11-20 or 2026-11-20T06:30:00Z")
    try:
        read = datetime.fromisoformat(cell.upper())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell("impossible date or time", "write it as 2026-11-20 or 2026-11-20T06:30:00Z") from error


def decimal(cell: str) -> Decimal:
    """A plain decimal; exponents are bounded before a number is built."""
    if len(cell) > LONGEST_NUMBER or not NUMBER.fullmatch(cell):
        raise BadCell("no number", "write digits with a decimal point, as 12.5 or 7e9")
    return Decimal(cell)


def number(column: Column) -> Reader:
    """A measured quantity."""

    def read(cell: str) -> float:
        value = decimal(cell)
        if value >= LARGEST_AMOUNT:
            raise BadCell("number too large", f"write less than {LARGEST_AMOUNT:.0e}")
        return _not_below(float(value), column)

    return read


def whole(column: Column) -> Reader:
    """A whole number."""

    def read(cell: str) -> int:
        value = decimal(cell)
        if abs(value) >= LARGEST_AMOUNT or value != value.to_integral_value() or not -(2**63) <= value < 2**63:
            raise BadCell("no whole number", "write it without decimals, as 100")
        return int(_not_below(value, column))

    return read


def amount(_: Column) -> Reader:
    """An exact amount or price, zero or more."""

    def read(cell: str) -> Decimal:
        value = decimal(cell)
        if value < 0:
            raise BadCell("negative amount", "write zero or more")
        if value >= LARGEST_AMOUNT:
            raise BadCell("amount too large", f"write less than {LARGEST_AMOUNT:.0e}")
        if value != 0 and value != round(value, MONEY_SCALE):
            raise BadCell(f"more than {MONEY_SCALE} decimals", f"round it to {MONEY_SCALE} decimals")
        return value

    return read


def thousandths(cell: str) -> int:
    """A relative weight as a whole number of thousandths, half up."""
    value = decimal(cell)
    if value < 0:
        raise BadCell("negative weight", "write zero or more")
    if value > LARGEST_WEIGHT:
        raise BadCell("weight too large", f"write at most {LARGEST_WEIGHT}: only the proportions count")
    return int((value * THOUSAND).to_integral_value(ROUND_HALF_UP))


def _not_below(value: N, column: Column) -> N:
    if column.minimum is not None and value < column.minimum:
        raise BadCell("number too small", f"write {column.minimum:g} or more")
    return value


READERS: Final[dict[type[pl.DataType], Callable[[Column], Reader]]] = {
    pl.String: lambda _: plain,
    pl.List: lambda _: names,
    pl.Date: lambda _: day,
    pl.Datetime: lambda _: instant,
    pl.Float64: number,
    pl.Int64: whole,
    pl.Decimal: amount,
}
