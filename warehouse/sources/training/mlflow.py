"""MLflow: a SQLite tracking store, opened read-only from a private copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from warehouse.sources.casts.date_guard import microseconds_of, plausible_starts
from warehouse.sources.decode.parquet_records import MOST_ROWS
from warehouse.sources.decode.text_lines import LONGEST_LINE
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.mlflow_runs import Store
from warehouse.sources.training.run_rows import metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, sidecar_paths

MAGIC: Final = b"SQLite format 3\0"
_STEPS: Final = 10**8
_STEPS_PER_BYTE: Final = 100
_STEPS_AT_ONCE: Final = 10**6
_SIDE_FILES: Final = ("-wal", "-shm", "-journal")
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "start_time": (int, type(None)),
    "end_time": (int, type(None)),
    "timestamp": (int,),
    "step": (int,),
    "is_nan": (int,),
}
_QUERIES: Final = {
    "experiments": "SELECT experiment_id, name, lifecycle_stage FROM experiments",
    "runs": "SELECT run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id FROM runs",
    "metrics": "SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics ORDER BY run_uuid, step, timestamp",
    "params": "SELECT run_uuid, key, value FROM params",
    "tags": "SELECT run_uuid, key, value FROM tags",
}


def side_files(file: str) -> Sequence[str]:
    """What was written and not yet put into the store, and a sidecar."""
    return [] if file.endswith(_SIDE_FILES) else [f"{file}-wal", *sidecar_paths(file)]


def read(delivered: Delivered, source: Source) -> Reading:
    """Every run of the store and every value logged by it is a row; runs that were deleted have cost money, too.

    Raises:
        RejectedFile: unreadable, for a file that is no such store.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    if delivered.file.endswith(_SIDE_FILES):
        return Reading(rows=0, frames={})
    refusals = Refusals()
    store = _store(delivered, source, refusals)
    starts, runs, accepted = plausible_starts(delivered.ahead), [], 0
    for row, attempts in enumerate(store.runs(microseconds_of(delivered.night_start)), start=1):
        started = attempts[0]["started_at"]
        if started is None or started in starts:
            origin = {"file_sha256": delivered.sha256, "location": f"row {row}", "source": source.name}
            runs += [origin | attempt for attempt in attempts]
            accepted += 1
        else:
            refusals.add(f"row {row}", "date_out_of_range", "the run starts before 2015 or after the night")
    metrics = list(store.metrics())
    return Reading(
        rows=accepted + len(refusals) + len(metrics),
        frames={
            "run_rows": run_rows(runs),
            "metric_rows": metric_rows(delivered.sha256, source.name, metrics),
        },
        refused=refusals.frame(),
        flags=store.flags(),
    )


def _store(delivered: Delivered, source: Source, refusals: Refusals) -> Store:
    with delivered.content.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise RejectedFile("unreadable", "no SQLite store; name the tracking store itself in files")
    try:
        with _placed(delivered) as path, closing(_connection(path, delivered)) as connection:
            _refuse_what_is_no_table(connection)
            tables = {name: _rows(connection, query, delivered.content) for name, query in _QUERIES.items()}
    except sqlite3.DatabaseError as error:
        raise RejectedFile("unreadable", f"the store cannot be read: {error}") from error
    sound = {name: _sound(name, rows, refusals) for name, rows in tables.items()}
    return Store(sound, sidecar(delivered, source))


def _sound(table: str, rows: list[dict[str, Any]], refusals: Refusals) -> list[dict[str, Any]]:
    """SQLite takes any value in any column; rows with a time or value that is no number are refused."""
    kept = []
    for number, row in enumerate(rows, start=1):
        bad = [name for name, kinds in _KINDS.items() if name in row and not isinstance(row[name], kinds)]
        bad += ["value"] if table == "metrics" and not isinstance(row["value"], int | float) else []
        if bad:
            reason = "bad_decimal" if bad == ["value"] else "bad_date"
            refusals.add(f"{table} row {number}", reason, f"{', '.join(bad)} is no number")
        else:
            kept.append(row)
    return kept


@contextmanager
def _placed(delivered: Delivered) -> Iterator[Path]:
    """The store beside what was not yet put into it, under the names that SQLite looks for."""
    path, log = delivered.content.with_name("store.db"), delivered.side_files.get(f"{delivered.file}-wal")
    beside = path.with_name("store.db-wal")
    os.link(delivered.content, path)
    if log:
        os.link(log, beside)
    try:
        yield path
    finally:
        for placed in (path, beside, path.with_name("store.db-shm")):
            placed.unlink(missing_ok=True)


def _connection(path: Path, delivered: Delivered) -> sqlite3.Connection:
    """Immutable, unless a log must be read; views and triggers of the store may call no function that acts."""
    has_log = f"{delivered.file}-wal" in delivered.side_files
    mode = "mode=rw" if has_log else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)
    connection.row_factory = sqlite3.Row
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_LINE)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _refuse_what_is_no_table(connection: sqlite3.Connection) -> None:
    """A view or a virtual table under the name of a table may compute without end what no byte of the file holds."""
    query = "SELECT name, type, coalesce(rootpage, 0) FROM sqlite_schema WHERE type IN ('table', 'view')"
    for name, kind, page in connection.execute(query):
        if name.lower() in _QUERIES and (kind, page == 0) != ("table", False):
            raise RejectedFile(
                "unreadable", f"{name} is a {'view' if kind == 'view' else 'virtual table'}, not a table"
            )


def _rows(connection: sqlite3.Connection, query: str, store: Path) -> list[dict[str, Any]]:
    """The rows of a query, which may take as many steps of SQLite as a store of this size can need."""
    steps = iter(range((_STEPS + _STEPS_PER_BYTE * store.stat().st_size) // _STEPS_AT_ONCE))
    connection.set_progress_handler(lambda: next(steps, None) is None, _STEPS_AT_ONCE)
    try:
        rows = [dict(row) for row in islice(connection.execute(query), MOST_ROWS + 1)]
    except sqlite3.OperationalError as error:
        if next(steps, None) is None:
            raise RejectedFile("limit", "reading it takes more steps than a store of its size can need") from error
        raise
    if len(rows) > MOST_ROWS:
        raise RejectedFile("limit", f"more than {MOST_ROWS:,} rows in one table")
    return rows
