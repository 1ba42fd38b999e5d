"""How a table that is computed day by day reads the others: which rows a day needs, and what says that they changed."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from typing import Final, TypeAlias

import duckdb

from warehouse.incremental import fingerprints
from warehouse.incremental.fingerprints import Axis, Facts, column_of
from warehouse.schemas.policy import Settings
from warehouse.schemas.table import Table

WITHIN: Final = "IN (SELECT unnest(?::DATE[]))"

Condition: TypeAlias = tuple[str, Sequence[object]]


@dataclass(frozen=True)
class Read:
    """One table as the days of another one read it.

    `made_of` says what a day sees of it, `rows` which rows some days need, or more; `days` are those that it gives rise
    to, with the number of their rows.
    """

    table: type[Table]
    made_of: Callable[[date], object]
    rows: Callable[[Sequence[date]], Condition]
    days: Mapping[date, int] = field(default_factory=dict)


def read_of(connection: duckdb.DuckDBPyConnection, table: type[Table], by: Axis, night: date) -> Read:
    """How the days of a table computed `by` these days read `table`, as that stands now."""
    if column_of(table, by):
        return _same_day(connection, table, by)
    if table.table_span and by is Axis.HOURS:
        return _touching(connection, table)
    if by is Axis.CHARGES and (table.table_span or column_of(table, Axis.HOURS)):
        return _hours_paid(connection, table)
    if by is Axis.DATES and column_of(table, Axis.MONTHS):
        return _same_month(connection, table)
    if by is Axis.ESTIMATES and column_of(table, Axis.DATES):
        return _before(connection, table)
    return _whole(connection, table, by, night)


def _same_day(connection: duckdb.DuckDBPyConnection, table: type[Table], by: Axis) -> Read:
    facts = fingerprints.days(connection, table, by)
    condition = f"{column_of(table, by)} {WITHIN}"
    rows = {day: fact.rows for day, fact in facts.items()}
    return Read(table, facts.get, lambda days: (condition, [list(days)]), rows)


def _touching(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> Read:
    """A row stands in every day that it touches."""
    facts = fingerprints.spans(connection, table)
    first, last = table.table_span or ("", "")
    condition = f"{first}::DATE <= ? AND {last}::DATE >= ?"
    rows = {day: fact.rows for day, fact in facts.items()}
    return Read(table, facts.get, lambda days: (condition, [max(days), min(days)]), rows)


def _hours_paid(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> Read:
    """A day of charges reads the hours that its charges touch."""
    has_hours = column_of(table, Axis.HOURS)
    facts = fingerprints.days(connection, table, Axis.HOURS) if has_hours else fingerprints.spans(connection, table)
    touched = fingerprints.touched(connection)

    def rows(days: Sequence[date]) -> Condition:
        hours = sorted({hour for day in days for hour in touched.get(day, ())})
        return (f"{has_hours} {WITHIN}", [hours]) if has_hours else ("true", [])

    return Read(table, lambda day: [facts.get(hour) for hour in touched.get(day, ())], rows)


def _same_month(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> Read:
    """A day reads what is said of its month."""
    facts = fingerprints.days(connection, table, Axis.MONTHS)
    condition = f"{column_of(table, Axis.MONTHS)} {WITHIN}"

    def rows(days: Sequence[date]) -> Condition:
        return condition, [sorted({day.replace(day=1) for day in days})]

    return Read(table, lambda day: facts.get(day.replace(day=1)), rows)


def _before(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> Read:
    """An estimate reads everything before the day on which it is made."""
    facts = fingerprints.days(connection, table, Axis.DATES)
    days = sorted(facts)
    until = list(accumulate(((day, facts[day]) for day in days), _chained, initial=""))
    condition = f"{column_of(table, Axis.DATES)} < ?"
    return Read(table, lambda day: until[bisect_left(days, day)], lambda wanted: (condition, [max(wanted)]))


def _chained(before: str, day: tuple[date, Facts]) -> str:
    return hashlib.sha256(repr((before, day)).encode()).hexdigest()


def _whole(connection: duckdb.DuckDBPyConnection, table: type[Table], by: Axis, night: date) -> Read:
    """What has no days is read as a whole; what changes in the settings with every night matters to no day before."""
    content = None if table in fingerprints.SETTLED else fingerprints.whole(connection, table)

    def made_of(day: date) -> object:
        is_open = table is Settings and _last(day, by) > night
        return (content, night) if is_open else content

    return Read(table, made_of, lambda _: ("true", []))


def _last(day: date, by: Axis) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1]) if by is Axis.MONTHS else day
