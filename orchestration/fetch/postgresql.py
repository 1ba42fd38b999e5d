"""A table of PostgreSQL, such as LiteLLM's spend log: one CSV file per UTC day, of the columns that are read alone.

Credentials come from the environment, ~/.pgpass or a service file, as for any client of PostgreSQL.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from orchestration.fetch.staged import FetchError, Staging, Version, target

SCHEMES: Final = ("postgresql://", "postgres://")
ASKED_AGAIN: Final = 3
"""Days back from the last complete one that are asked again: late rows come then."""

_OPTIONS: Final = "-c TimeZone=UTC -c DateStyle=ISO -c default_transaction_read_only=on"
_WAIT_S: Final = 15


def fetch_table(
    url: str, table: str, time_column: str, columns: Sequence[str], files: str, staging: Staging, until: date
) -> tuple[dict[str, Version], int]:
    """Bring the complete days of a table up to the day before `until` that are not there yet, or may have changed.

    Returns:
        The versions to deliver, one a day, and how many days stand there unchanged.

    Raises:
        FetchError: when the database cannot be read, or has no such table or columns.
    """
    try:
        with psycopg.connect(url, options=_OPTIONS, connect_timeout=_WAIT_S) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            chosen = _columns(connection, table, time_column, columns)
            new, unchanged = {}, 0
            for day in _days(connection, table, chosen[0], until):
                key = f"{table}-{day.isoformat()}.csv.gz"
                before = staging.delivered.get(key)
                is_settled = day < until - timedelta(days=ASKED_AGAIN)
                if is_settled and before is not None and staging.is_delivered(key, before):
                    unchanged += 1
                    continue
                version = _brought(connection, table, chosen, day, key, files, staging)
                if staging.is_delivered(key, version):
                    unchanged += 1
                else:
                    new[key] = version
    except psycopg.Error as error:
        reply = " ".join(str(error).split())[:300]
        raise FetchError(f"{_shown(url)} cannot be read: {reply}; what has come so far is kept, fetch again") from error
    return new, unchanged


def _columns(connection: psycopg.Connection, table: str, time_column: str, wanted: Sequence[str]) -> list[str]:
    """The time, then the wanted columns that the table has, as it spells them."""
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position"
    there = {name.casefold(): name for (name,) in connection.execute(query, [table]).fetchall()}
    if time_column.casefold() not in there:
        column_list = ", ".join(there.values()) or "no columns: there is no such table, or it may not be read"
        raise FetchError(
            f"table {table!r} has no column {time_column!r}; it has {column_list}; correct [source.remote]"
        )
    names = [there[name.casefold()] for name in wanted if name.casefold() in there]
    return list(dict.fromkeys([there[time_column.casefold()], *names]))


def _days(connection: psycopg.Connection, table: str, time_column: str, until: date) -> Iterator[date]:
    """The days with rows, but for the running one."""
    query = sql.SQL("SELECT DISTINCT CAST({time} AS date) FROM {table} WHERE {time} < %s ORDER BY 1").format(
        time=sql.Identifier(time_column), table=sql.Identifier(table)
    )
    yield from (day for (day,) in connection.execute(query, [_midnight(until)]).fetchall())


def _brought(
    connection: psycopg.Connection,
    table: str,
    columns: Sequence[str],
    day: date,
    key: str,
    files: str,
    staging: Staging,
) -> Version:
    """The rows of one day as compressed CSV, in an order that does not depend on how the database keeps them."""
    query = sql.SQL(
        "COPY (SELECT {columns} FROM {table} AS line WHERE {time} >= {first} AND {time} < {last} "
        "ORDER BY {time}, md5(CAST(line AS text))) TO STDOUT (FORMAT csv, HEADER)"
    ).format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        table=sql.Identifier(table),
        time=sql.Identifier(columns[0]),
        first=sql.Literal(_midnight(day)),
        last=sql.Literal(_midnight(day + timedelta(days=1))),
    )
    file = target(files, key)
    if file is None:
        raise FetchError(f"table {table!r} cannot name a file; give it another name, or a view with one")
    aside = staging.folder / "copy.part"
    _copy(connection, query, aside)
    with aside.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
    version = Version(file, aside.stat().st_size, digest)
    aside.replace(staging.path(key, version))
    return version


def _copy(connection: psycopg.Connection, query: sql.Composed, path: Path) -> None:
    with path.open("wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        path.chmod(0o600)
        with connection.cursor().copy(query) as copied:
            for piece in copied:
                packed.write(piece)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _shown(url: str) -> str:
    """The address without its query, which may hold a password."""
    return url.partition("?")[0]
