"""What was read, kept by content: the rows of one file in the raw tables, and the account of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests import landed_digests
from warehouse.landing.requests.landed_parquet import LandedFile, landed_path, write_landed
from warehouse.schemas.raw import (
    ChargeRows,
    CounterSamples,
    GpuSamples,
    InvoiceTotals,
    LandedFindings,
    MetricRows,
    Quarantine,
    Readings,
    RunRows,
    WorkloadRows,
)
from warehouse.schemas.table import Table
from warehouse.sources.control_files import Promise
from warehouse.sources.reader_protocol import Reading
from warehouse.sources.source import Source
from warehouse.tables import append, append_parts

ROWS: Final[dict[str, type[Table]]] = {
    table.table_name: table
    for table in (ChargeRows, InvoiceTotals, RunRows, MetricRows, WorkloadRows, CounterSamples, GpuSamples)
}
REQUESTS: Final = "requests"
BATCH: Final = 200_000
_STARTS: Final = {
    "charge_rows": "charge_start",
    "run_rows": "started_at",
    "workload_rows": "started_at",
    "counter_samples": "scraped_at",
    "gpu_samples": "sampled_at",
    REQUESTS: "start_at",
}


@dataclass(frozen=True)
class Content:
    """One content of a source: the first path it stands under, and the digest of all that decides how it is read.

    `promises` are what control files say of it, `copies` the other paths, where a path says when it was measured.
    """

    source: Source
    file: str
    sha256: str
    reader_digest: str
    promises: tuple[Promise, ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Times:
    """The night a content is read for, the first night that saw it, and the day of the run."""

    night_start: datetime
    first_seen_at: datetime
    run_on: date


def landed_file(var: Path, content: Content) -> LandedFile:
    """Where the requests of a content are landed."""
    folder = var / "landed" / REQUESTS
    path = landed_path(folder, content.source.name, content.sha256, content.reader_digest)
    return LandedFile(f"{content.source.name}:{content.file}", path)


def cached_files(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Every content that has been read."""
    return Readings.frame(connection.sql(f"SELECT * FROM {Readings.qualified()}").pl())


def version(connection: duckdb.DuckDBPyConnection) -> str:
    """A name for what the inbox holds and how it is read: every raw table follows from the contents and the readers."""
    query = f"SELECT source, file_sha256, reader_digest, read_for FROM {Readings.qualified()} ORDER BY ALL"
    return hashlib.sha256(repr(connection.execute(query).fetchall()).encode()).hexdigest()[:16]


def first_seen(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], datetime]:
    """When each content of a source was seen first, which reading it again does not change."""
    query = f"SELECT source, file_sha256, first_seen_at FROM {Readings.qualified()}"
    return {(source, sha256): at for source, sha256, at in connection.execute(query).fetchall()}


def rows_by_source(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows the contents of each source hold."""
    query = f'SELECT source, sum("rows")::BIGINT FROM {Readings.qualified()} GROUP BY source'
    return dict(connection.execute(query).fetchall())


def rows_of_contents(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, int]:
    """How many rows each content of a source holds, blank lines aside."""
    query = f'SELECT file_sha256, "rows" - blank FROM {Readings.qualified()} WHERE source = ?'
    return dict(connection.execute(query, [source]).fetchall())


class Shelf:
    """Keeps what was read: the rows of each content and the account of them, written in batches."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, var: Path) -> None:
        self._connection = connection
        self._var = var
        self._waiting: dict[type[Table], list[pl.DataFrame]] = {}
        self._rows = 0

    def store(self, content: Content, read: Reading, times: Times) -> None:
        """Keep one content."""
        account = _account(content, read, times)
        for name, rows in read.frames.items():
            if name == REQUESTS:
                path = write_landed(landed_file(self._var, content).path, rows, read.parts.get(REQUESTS, ()))
                landed_digests.record(self._connection, path)
            else:
                self._put(ROWS[name], rows)
        self._put(Quarantine, _quarantined(content, read))
        self._put(Readings, account)
        self._put(LandedFindings, _noticed(content, read))
        _insert_parts(self._connection, ChargeRows, read.parts.get(ChargeRows.table_name, ()))
        if self._rows > BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for table, frames in self._waiting.items():
            insert(self._connection, table, pl.concat(frames))
        self._waiting, self._rows = {}, 0

    def _put(self, table: type[Table], rows: pl.DataFrame) -> None:
        if not rows.is_empty():
            self._waiting.setdefault(table, []).append(table.frame(rows))
            self._rows += rows.height


def forget(connection: duckdb.DuckDBPyConnection, source: str, sha256: str) -> None:
    """Take a content's rows and account away."""
    kept: tuple[type[Table], ...] = (*ROWS.values(), Quarantine, Readings, LandedFindings)
    for table in kept:
        connection.execute(
            f"DELETE FROM {table.qualified()} WHERE source = ? AND file_sha256 = ?",
            [source, sha256],
        )


def insert(connection: duckdb.DuckDBPyConnection, table: type[Table], rows: pl.DataFrame) -> None:
    """Append rows to a table, validated."""
    if rows.is_empty():
        return
    valid = table.frame(rows)
    table.validation().validate(valid, lazy=True)
    append(connection, table.qualified(), valid)


def _insert_parts(connection: duckdb.DuckDBPyConnection, table: type[Table], paths: Sequence[Path]) -> None:
    """Rows that were too many to hold, validated part by part; their files are gone then."""

    def valid() -> Iterator[pl.DataFrame]:
        validation = table.validation()
        for path in paths:
            rows = table.frame(pl.read_parquet(path, glob=False))
            validation.validate(rows, lazy=True)
            yield rows

    if paths:
        append_parts(connection, table, valid())
    for path in paths:
        path.unlink()


def _quarantined(content: Content, read: Reading) -> pl.DataFrame:
    return read.refused.with_columns(
        pl.lit(content.source.name).alias("source"),
        pl.lit(content.file).alias("file"),
        pl.lit(content.sha256).alias("file_sha256"),
    )


def _noticed(content: Content, read: Reading) -> pl.DataFrame:
    origin = {"source": content.source.name, "file": content.file, "file_sha256": content.sha256}
    rows = [asdict(finding) | origin for finding in read.findings]
    return pl.DataFrame(rows, schema=LandedFindings.polars_schema())


def _counted(content: Content, read: Reading) -> int:
    """How many rows became charges, runs or requests: what the reader says, else what its tables hold."""
    accepted = read.rows - read.refused.height - read.duplicates - read.blank
    if read.counted is not None:
        return read.counted
    if content.source.kind == "request_telemetry":
        spilled = [pl.scan_parquet(path, glob=False).select(pl.len()) for path in read.parts.get(REQUESTS, ())]
        held = [rows.height for name, rows in read.frames.items() if name == REQUESTS]
        return min(accepted, sum(held) + sum(int(rows.collect().item()) for rows in spilled))
    is_empty = all(rows.is_empty() for rows in read.frames.values()) and not read.parts
    return 0 if content.source.kind == "training_logs" and is_empty else accepted


def _account(content: Content, read: Reading, times: Times) -> pl.DataFrame:
    row = {
        "source": content.source.name,
        "kind": content.source.kind,
        "file_sha256": content.sha256,
        "reader_digest": content.reader_digest,
        "read_for": times.night_start.date(),
        "rows": read.rows,
        "refused": read.refused.height,
        "blank": read.blank,
        "counted": _counted(content, read),
        "repeated": read.duplicates,
        "copied": 0,
        "foreign_lines": read.foreign_lines,
        "rounding_residual": read.rounding_residual,
        "flags": sorted(read.flags),
        "first_seen_at": times.first_seen_at,
        "is_ahead": "date_out_of_range" in read.refused["reason"].to_list() or "still_running" in read.flags,
        "latest_start": _latest_start(read),
    }
    return pl.DataFrame([row], schema=Readings.polars_schema())


def _latest_start(read: Reading) -> datetime | None:
    """The latest start of an accepted row, which decides for which earlier nights the content reads the same."""
    held = [read.frames[name][column].max() for name, column in _STARTS.items() if name in read.frames]
    spilled = [
        pl.scan_parquet(path, glob=False).select(pl.col(_STARTS[name]).max()).collect().item()
        for name, paths in read.parts.items()
        for path in paths
    ]
    return max((start for start in (*held, *spilled) if isinstance(start, datetime)), default=None)
