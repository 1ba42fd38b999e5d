"""A landed file is trusted with its digest only: what is missing or changed is landed again from the inbox."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb

_BLOCK: Final = 1 << 20
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS meta.landed_files (landed VARCHAR, sha256 VARCHAR, bytes BIGINT, changed_ns BIGINT)
"""


def lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of digests where there is none."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute(_TABLE)


def record(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Keep what a landed file is, once it is whole on the disk."""
    entry = path.stat()
    lay_out(connection)
    forget(connection, [path.name])
    row = [path.name, _digest(path), entry.st_size, entry.st_ctime_ns]
    connection.execute("INSERT INTO meta.landed_files VALUES (?, ?, ?, ?)", row)


def forget(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Trust files of these names no longer."""
    connection.execute("DELETE FROM meta.landed_files WHERE landed IN (SELECT unnest(?::VARCHAR[]))", [list(names)])


def recorded(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the landed files that are there, once `untrusted` has looked."""
    lay_out(connection)
    return {name for (name,) in connection.execute("SELECT landed FROM meta.landed_files").fetchall()}


def untrusted(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> list[Path]:
    """Landed files that are not there, or are not what was landed; what is there of these is set aside.

    A file that the file system says nobody has changed is not read again.
    """
    lay_out(connection)
    kept = {row[0]: row[1:] for row in connection.execute("SELECT * FROM meta.landed_files").fetchall()}
    changed = [path for path in paths if not _is_whole(path, kept.get(path.name))]
    for path in changed:
        if path.exists():
            path.replace(path.with_suffix(".damaged"))
    forget(connection, [path.name for path in changed])
    return changed


def _is_whole(path: Path, kept: tuple[str, int, int] | None) -> bool:
    if kept is None or not path.is_file():
        return False
    sha256, size, changed_ns = kept
    entry = path.stat()
    return entry.st_size == size and (entry.st_ctime_ns == changed_ns or _digest(path) == sha256)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
