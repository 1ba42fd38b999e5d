"""Requests below var/landed: one Parquet file for each file of the inbox, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests import cache_proofs
from warehouse.schemas.landed import Requests

_ROW_GROUP: Final = 1 << 18


@dataclass(frozen=True)
class LandedFile:
    """The landed requests of one file of the inbox; `file` is its path below the project directory."""

    file: str
    path: Path


def landed_path(folder: Path, source: str, sha256: str, reader_digest: str) -> Path:
    """Where the requests of one content land: another reader or other settings land elsewhere."""
    name = hashlib.sha256(f"{source}\n{sha256}\n{reader_digest}".encode()).hexdigest()[:32]
    return folder / f"{name}.parquet"


def write_landed(path: Path, requests: pl.DataFrame, parts: Sequence[Path] = ()) -> Path:
    """Write the requests of one file whole or not at all: those in Parquet files set aside, then those in memory.

    One file set aside that holds them all is moved, not written again.
    """
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    torn = path.with_suffix(".tmp")
    os.close(os.open(torn, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    if requests.is_empty() and len(parts) == 1:
        parts[0].replace(torn)
        torn.chmod(0o600)
    else:
        rows = pl.concat([*(pl.scan_parquet(part, glob=False) for part in parts), Requests.frame(requests).lazy()])
        rows.sink_parquet(torn, row_group_size=_ROW_GROUP, statistics=True, maintain_order=True)
    with torn.open("rb") as stream:
        os.fsync(stream.fileno())
    torn.replace(path)
    _sync_folder(path.parent)
    return path


def _sync_folder(folder: Path) -> None:
    """A rename lasts only once its folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def scan(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> duckdb.DuckDBPyRelation:
    """Every landed row as columns of landed.requests, with `delivery`, the place of its file in the order given."""
    paths = [str(landed.path) for landed in files]
    return connection.read_parquet(paths).project("*, file_index AS delivery")


@contextmanager
def landed_rows(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Iterator[None]:
    """While it lasts, `landed_requests` are the rows and `landed_files` their files by delivery.

    Where a proof shows that cached tokens stand beside the input of a source and model, the input is all of them.
    """
    names = pl.DataFrame({"delivery": range(len(files)), "landed": [landed.path.name for landed in files]})
    rows = scan(connection, files)
    settled(connection, rows).create_view("landed_requests")
    try:
        with registered(connection, landed_files=names):
            yield
    finally:
        connection.execute("DROP VIEW landed_requests")


def settled(connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Landed rows with all of their input."""
    return rows.project(_SETTLED) if cache_proofs.any_proved(connection) else rows


_SETTLED: Final = f"""
    * REPLACE (CASE WHEN is_cache_open AND {cache_proofs.IS_PROVED}
        THEN input_tokens + {cache_proofs.PARTS} ELSE input_tokens END AS input_tokens)
"""


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, **frames: pl.DataFrame) -> Iterator[None]:
    """While it lasts, the frames are tables under their names."""
    for name, frame in frames.items():
        connection.register(name, frame.to_arrow())
    try:
        yield
    finally:
        for name in frames:
            connection.unregister(name)


def row_count(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> int:
    """Rows of all files, from their footers; `files` are at least one."""
    counted: int = scan(connection, files).aggregate("count(*)").fetchall()[0][0]
    return counted
