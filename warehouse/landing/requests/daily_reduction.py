"""Which days of requests must be reduced again, and raw.request_hours kept in step with what has landed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests import cache_proofs
from warehouse.landing.requests.landed_parquet import LandedFile, landed_rows
from warehouse.landing.requests.reduction import Definition, reduce_on_duckdb
from warehouse.schemas.raw import RequestHours
from warehouse.tables import append, transaction

_VERSION: Final = "3"
"""Changes whenever the reduction itself does, so that every day is reduced again."""

Reduction = Callable[
    [
        duckdb.DuckDBPyConnection,
        Sequence[LandedFile],
        Definition,
        Sequence[datetime],
        Mapping[date, int],
    ],
    pl.DataFrame,
]


def refresh_request_hours(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    definition: Definition,
    boundaries: Sequence[datetime],
    night_end: datetime,
    reduction: Reduction = reduce_on_duckdb,
) -> Sequence[date]:
    """Bring raw.request_hours up to date; only days whose files, duplicates or boundaries changed are reduced.

    `mark_uncounted` has seen the same files before. Days from `night_end` on are left out. Rows and what they were
    reduced from change in one transaction.

    Returns:
        The days that were reduced.
    """
    _lay_out(connection)
    rows = {day: count for day, count in _rows_by_day(connection, files).items() if day < night_end.date()}
    wanted = _fingerprints(connection, boundaries, rows)
    fingerprints = dict(connection.execute("SELECT day, fingerprint FROM meta.request_days").fetchall())
    stale = sorted(day for day in wanted if fingerprints.get(day) != wanted[day])
    gone = [day for day in fingerprints if day not in wanted]
    new = {day: rows[day] for day in stale}
    reduced = reduction(connection, files, definition, boundaries, new) if new else RequestHours.empty()
    RequestHours.validation().validate(reduced, lazy=True)
    _replace(connection, [*stale, *gone], reduced, {day: wanted[day] for day in stale})
    return stale


def _lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute("CREATE TABLE IF NOT EXISTS meta.request_days (day DATE, fingerprint VARCHAR)")
    connection.execute("CREATE TABLE IF NOT EXISTS meta.cache_beside (source VARCHAR, model VARCHAR)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS meta.landed_file_days (landed VARCHAR, day DATE, requests BIGINT, has_open BOOLEAN)"
    )


def _rows_by_day(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Mapping[date, int]:
    """Rows of each day; a file is looked into once, when it is new."""
    names = {landed.path.name for landed in files}
    counted = {name for (name,) in connection.execute("SELECT DISTINCT landed FROM meta.landed_file_days").fetchall()}
    if gone := sorted(counted - names):
        connection.execute("DELETE FROM meta.landed_file_days WHERE landed IN (SELECT unnest(?))", [gone])
    if new := [landed for landed in files if landed.path.name not in counted]:
        _look_into(connection, new)
    return dict(
        connection.execute("SELECT day, sum(requests)::BIGINT FROM meta.landed_file_days GROUP BY day").fetchall()
    )


def _look_into(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> None:
    with landed_rows(connection, files):
        connection.execute(
            """
            INSERT INTO meta.landed_file_days
            SELECT landed, day, count(*), bool_or(is_cache_open)
            FROM landed_requests JOIN landed_files USING (delivery) GROUP BY landed, day
            """
        )


def _fingerprints(
    connection: duckdb.DuckDBPyConnection, boundaries: Sequence[datetime], days: Mapping[date, int]
) -> Mapping[date, str]:
    """What each day is reduced from: files, rows that count nothing, proofs on open ones, boundaries within it."""
    landed = _by_day(
        connection, "SELECT day, string_agg(landed, ' ' ORDER BY landed) FROM meta.landed_file_days GROUP BY day"
    )
    repeats = _by_day(
        connection,
        "SELECT day, count(*) || ' ' || bit_xor(hash(landed, position)) FROM meta.uncounted_requests GROUP BY day",
    )
    cache_proofs.lay_out(connection)
    opened = _by_day(connection, f"SELECT day, {_PROOFS} FROM meta.landed_file_days WHERE has_open GROUP BY day")
    parts = {day: sorted(at.isoformat() for at in set(boundaries) if at.date() == day) for day in days}
    return {
        day: hashlib.sha256(
            repr((_VERSION, landed[day], repeats.get(day), opened.get(day), parts[day])).encode()
        ).hexdigest()
        for day in days
    }


_PROOFS: Final = "(SELECT string_agg(source || ' ' || model, ' ' ORDER BY source, model) FROM meta.cache_beside)"


def _by_day(connection: duckdb.DuckDBPyConnection, query: str) -> Mapping[date, str]:
    return dict(connection.execute(query).fetchall())


def _replace(
    connection: duckdb.DuckDBPyConnection, days: Sequence[date], rows: pl.DataFrame, fingerprints: Mapping[date, str]
) -> None:
    with transaction(connection):
        for table in (RequestHours.qualified(), "meta.request_days"):
            connection.execute(f"DELETE FROM {table} WHERE day IN (SELECT unnest(?::DATE[]))", [list(days)])
        append(connection, RequestHours.qualified(), rows)
        for day, fingerprint in fingerprints.items():
            connection.execute("INSERT INTO meta.request_days VALUES (?, ?)", [day, fingerprint])
