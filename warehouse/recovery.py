"""What was lost or damaged below var/ is set aside, and said in one sentence: all but published/ is built again.

A store is damaged when it cannot be read from its first row to its last. A full disk or a lock is no damage: then it is
read, and stays.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb

DATABASE: Final = "warehouse.duckdb"
STORE: Final = "dagster"
_LOG: Final = logging.getLogger("trisect.steps")


def set_aside_what_is_damaged(var: Path) -> bool:
    """Set aside the warehouse and Dagster's store where they cannot be read; whether anything was."""
    return any([set_aside_a_damaged_warehouse(var), set_aside_a_damaged_store(var)])


def set_aside_a_damaged_warehouse(var: Path) -> bool:
    """Set the warehouse aside where it cannot be read to its last row; nobody may have it open."""
    path = var / DATABASE
    if not path.exists() or _is_readable(path):
        return False
    set_aside(var, "cannot be read to its end")
    return True


def set_aside(var: Path, why: str) -> None:
    """Take the warehouse out of the way with what was not yet put into it; the next opening builds a new one."""
    for name in (f"{DATABASE}.wal", DATABASE):
        if (var / name).exists():
            old = var / name.replace(DATABASE, f"{DATABASE}.old")
            (var / name).replace(old)
            old.touch()
    _LOG.warning(
        "var/%s %s; it is set aside as %s.old and built again from inbox/ and policy/", DATABASE, why, DATABASE
    )


def set_aside_a_damaged_store(var: Path) -> bool:
    """Set Dagster's store aside where a file of it cannot be read; it holds the history of runs only."""
    home, old = var / STORE, var / f"{STORE}.old"
    damaged = next(_unreadable(home), None)
    if damaged is None:
        return False
    shutil.rmtree(old, ignore_errors=True)
    home.replace(old)
    old.touch()
    _LOG.warning(
        "var/%s cannot be read to its end; var/%s is set aside as %s.old, the history of runs begins anew",
        damaged.relative_to(var),
        STORE,
        STORE,
    )
    return True


def _is_readable(path: Path) -> bool:
    """Whether every value of every table can be read; what no process could read is an error of the machine."""
    with path.open("rb") as stream:
        stream.read(1)
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as connection:
            tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
            for schema, table in tables:
                connection.execute(f'SELECT bit_xor(hash(every_row)) FROM "{schema}"."{table}" AS every_row').fetchall()
    except duckdb.Error as error:
        return is_locked(error)
    return True


def is_locked(error: duckdb.Error) -> bool:
    """Whether DuckDB could not open a file because another process has it."""
    return isinstance(error, duckdb.IOException) and "lock" in str(error).lower()


def _unreadable(home: Path) -> Iterator[Path]:
    for path in sorted(home.rglob("*.db")):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                    yield path
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                yield path
        except sqlite3.DatabaseError:
            yield path
