"""Requests below var/landed: one Parquet file for each file of the inbox, and which of their rows repeat another."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.schemas.landed import Requests

IDS_PER_PASS: Final = 1 << 25
"""Identities compared at once: 2^25 hashes take some 800 MB while they are sorted."""

_ROW_GROUP: Final = 1 << 18
_IDENTITY: Final = "hash(source, request_id)"


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
    """Write the requests of one file whole or not at all: those in Parquet files set aside, then those in memory."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    torn = path.with_suffix(".tmp")
    os.close(os.open(torn, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    rows = pl.concat([*(pl.scan_parquet(part, glob=False) for part in parts), Requests.frame(requests).lazy()])
    rows.sink_parquet(torn, row_group_size=_ROW_GROUP, statistics=True, maintain_order=True)
    with torn.open("rb") as stream:
        os.fsync(stream.fileno())
    torn.replace(path)
    return path


def scan(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> duckdb.DuckDBPyRelation:
    """Every landed row as columns of landed.requests, with `delivery`, the place of its file in the order given."""
    paths = [str(landed.path) for landed in files]
    return connection.read_parquet(paths).project("*, file_index AS delivery")


def mark_duplicates(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Mapping[str, int]:
    """Find the rows that repeat a request, keep them in meta.request_duplicates, and count them by file.

    Of equal identities within a source one row counts: the latest end (else start), then most output tokens, then
    most input tokens, then the first delivered; `files` are in the order of delivery. Only identities whose hash
    occurs more than once are ranked; equal hashes of different identities cost work, never correctness.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute("CREATE OR REPLACE TABLE meta.request_duplicates (landed VARCHAR, position BIGINT, day DATE)")
    repeated = _repeated_hashes(connection, files) if files else pl.Series()
    if repeated.is_empty():
        return {}
    with placed(connection, files), _known_as(connection, repeated=repeated.rename("hash").to_frame()):
        connection.execute(_CANDIDATES)
        connection.execute(_DUPLICATES)
        connection.execute("DROP TABLE candidates")
    counted = connection.execute("SELECT landed, count(*) FROM meta.request_duplicates GROUP BY landed").fetchall()
    names = {landed.path.name: landed.file for landed in files}
    return {names[landed]: rows for landed, rows in counted}


_CANDIDATES: Final = f"""
    CREATE OR REPLACE TEMP TABLE candidates AS
    SELECT delivery, position, day, source, request_id, coalesce(end_at, start_at) AS latest,
           coalesce(output_tokens, 0) AS output_tokens, coalesce(input_tokens, 0) AS input_tokens
    FROM landed_requests SEMI JOIN repeated ON {_IDENTITY} = repeated.hash
"""

_DUPLICATES: Final = """
    INSERT INTO meta.request_duplicates
    SELECT landed, position, day FROM candidates JOIN landed_files USING (delivery)
    QUALIFY row_number() OVER (PARTITION BY source, request_id
        ORDER BY latest DESC, output_tokens DESC, input_tokens DESC, delivery, position) > 1
"""


def _repeated_hashes(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> pl.Series:
    """The hashes that more than one row has, found in as many passes over the ids as memory asks for."""
    ids = scan(connection, files).filter("request_id IS NOT NULL").project(f"{_IDENTITY} AS hash")
    total = sum(pl.scan_parquet(landed.path, glob=False).select(pl.len()).collect().item() for landed in files)
    passes = max(1, -(-total // IDS_PER_PASS))
    return pl.concat([_repeated(ids.filter(f"hash % {passes} = {each}").pl()["hash"]) for each in range(passes)])


def _repeated(hashes: pl.Series) -> pl.Series:
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()


@contextmanager
def placed(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Iterator[None]:
    """While it lasts, `landed_requests` are the rows and `landed_files` their files by delivery."""
    names = pl.DataFrame({"delivery": range(len(files)), "landed": [landed.path.name for landed in files]})
    scan(connection, files).create_view("landed_requests", replace=True)
    try:
        with _known_as(connection, landed_files=names):
            yield
    finally:
        connection.execute("DROP VIEW landed_requests")


@contextmanager
def _known_as(connection: duckdb.DuckDBPyConnection, **frames: pl.DataFrame) -> Iterator[None]:
    for name, frame in frames.items():
        connection.register(name, frame.to_arrow())
    try:
        yield
    finally:
        for name in frames:
            connection.unregister(name)
