"""What the days of a table are: a digest of the content of each, and how many rows it has.

A day of a table of charges holds what starts on it, a day of a table of hours its hours; a table may be seen in several
ways. A month stands for all its days, and is named by its first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, Final, NamedTuple

import duckdb

from warehouse.schemas.ledger import BilledHours
from warehouse.schemas.policy import Settings
from warehouse.schemas.raw import BillDeliveries, ChargeRows, Files, Readings
from warehouse.schemas.table import Table


class Axis(Enum):
    """Which days, and the columns that say so, the first that a table has.

    Those on which charges start, those of the hours of use, those of cost and service, their months, or those on which
    an estimate is made.
    """

    CHARGES = ("charge_day", "charge_start")
    HOURS = ("hour",)
    DATES = ("charge_date", "day", "hour")
    MONTHS = ("month", "charge_date", "day", "hour")
    ESTIMATES = ("known_on",)


class Facts(NamedTuple):
    """One day: a digest of its rows whatever their order, and their number."""

    content: str
    rows: int


SETTLED: Final = (BillDeliveries, Files)
"""What the facts of the days of a bill say already: which rows count, and when they became known."""

# A row of a bill is told by its file, by how that is read, and by its place in it.
_BILL: Final = f"""
    WITH unit AS (
        SELECT source, file_sha256, billing_account_id AS account, billing_period_start, bool_or(is_current) AS counts
        FROM {BillDeliveries.qualified()} GROUP BY ALL
    ), seen AS (
        SELECT source, sha256 AS file_sha256, min(first_seen_at) AS seen_at FROM {Files.qualified()} GROUP BY ALL
    ), part AS (
        SELECT charge_start::DATE AS day, source, file_sha256, coalesce(billing_account_id, '') AS account,
            billing_period_start, count(*) AS held, sum(hash(location)::HUGEINT) AS places
        FROM {ChargeRows.qualified()} GROUP BY ALL
    )
    SELECT day, sum(hash(source, file_sha256, account, billing_period_start, held, places, counts, seen_at,
        reader_digest)::HUGEINT)::VARCHAR, sum(held)::BIGINT
    FROM part LEFT JOIN unit USING (source, file_sha256, account, billing_period_start)
        LEFT JOIN seen USING (source, file_sha256) LEFT JOIN {Readings.qualified()} USING (source, file_sha256)
    GROUP BY day
"""
# What of the settings changes with every night and says nothing about a day that is over.
_NIGHTLY: Final = "as_of, night_start, night_end, built_at"


def is_sliced(table: type[Table]) -> bool:
    """Whether transforms compute the table day by day."""
    return table.table_partition is not None and table.table_stage != "raw"


def axis_of(table: type[Table]) -> Axis:
    """The days by which the table is computed."""
    by_column = {"hour": Axis.HOURS, "month": Axis.MONTHS, "known_on": Axis.ESTIMATES}
    dates = dict.fromkeys(("charge_date", "day"), Axis.DATES)
    return {**by_column, **dates}.get(table.table_partition or "", Axis.CHARGES)


def column_of(table: type[Table], axis: Axis) -> str:
    """The day of a row in SQL; empty where the table has none."""
    name = _column(table, axis)
    return _day(f'"{name}"::DATE', axis) if name else ""


def days(connection: duckdb.DuckDBPyConnection, table: type[Table], axis: Axis) -> dict[date, Facts]:
    """The days of a table as it stands now."""
    if table is ChargeRows:
        return _facts(connection, _BILL)
    if is_sliced(table) and _column(table, axis) == table.table_partition:
        query = f"""
            SELECT {_day("day", axis)} AS slice, string_agg(content, ' ' ORDER BY day), sum(held)::BIGINT
            FROM meta.slices WHERE name = ? GROUP BY slice
        """
        return _facts(connection, query, [table.table_name])
    return content(connection, table, axis)


def spans(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> dict[date, Facts]:
    """The days that the rows of a table touch from their first moment to their last."""
    first, last = table.table_span or ("", "")
    each = f"unnest(generate_series({first}::DATE, {last}::DATE, INTERVAL 1 DAY))::DATE"
    query = f"WITH touched AS (SELECT {each} AS day, hash(span) AS seen FROM {table.qualified()} AS span)"
    return _facts(connection, f"{query} SELECT day, sum(seen::HUGEINT)::VARCHAR, count(*) FROM touched GROUP BY day")


def content(
    connection: duckdb.DuckDBPyConnection,
    table: type[Table],
    axis: Axis,
    where: str = "",
    parameters: Sequence[object] = (),
) -> dict[date, Facts]:
    """The days of a table, or of some rows of it, from the rows themselves."""
    query = f"""
        SELECT {column_of(table, axis)}, sum(hash(facts)::HUGEINT)::VARCHAR, count(*)
        FROM {table.qualified()} AS facts {where} GROUP BY 1
    """
    return _facts(connection, query, parameters)


def whole(connection: duckdb.DuckDBPyConnection, table: type[Table]) -> str:
    """A digest of all rows of a table; of the settings, of what does not change with the night."""
    columns = f"* EXCLUDE ({_NIGHTLY})" if table is Settings else "*"
    query = f"SELECT sum(hash(facts)::HUGEINT)::VARCHAR FROM (SELECT {columns} FROM {table.qualified()}) AS facts"
    return str(connection.execute(query).fetchall()[0][0])


def touched(connection: duckdb.DuckDBPyConnection) -> Mapping[date, Sequence[date]]:
    """The days of the hours that the charges of each day touch."""
    query = (
        f"SELECT charge_day, list_sort(list(DISTINCT hour::DATE)) FROM {BilledHours.qualified()} GROUP BY charge_day"
    )
    return dict(connection.execute(query).fetchall())


def _column(table: type[Table], axis: Axis) -> str:
    return next((name for name in axis.value if name in table.columns()), "")


def _day(column: str, axis: Axis) -> str:
    return f"date_trunc('month', {column})::DATE" if axis is Axis.MONTHS else column


def _facts(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> dict[date, Facts]:
    return {day: Facts(seen, rows) for day, seen, rows in connection.execute(query, list(parameters)).fetchall()}
