"""Copies of runs among the files of a source: what lies within another row in time is one, the rest are attempts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import polars as pl
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.dedup import remove_copies
from warehouse.landing.file_cache import insert
from warehouse.schemas import CATALOGUE
from warehouse.sources.source import Source

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source("logs", "training_logs", "table", "inbox/*")

Row = tuple[str, str, float | None, float | None, int]
"""File, run, hours of start and end, steps."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    made = connect(tmp_path, Limits(threads=1))
    yield made
    made.close()


def kept(
    connection: duckdb.DuckDBPyConnection, *rows: Row, logs: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, str, int]]:
    """File, run and steps of what remains; files are in the order of their names, `logs` say how logs begin."""

    def at(hours: float | None) -> datetime | None:
        return None if hours is None else MIDNIGHT + timedelta(hours=hours)

    written: list[dict[str, Any]] = [
        {"file_sha256": file, "location": f"row {number}", "source": "logs", "run_id": run, "run_key": run, "hosts": [],
         "is_job": False, "started_at": at(start), "ended_at": at(end), "end_source": "logged", "status": "finished",
         "log_key": logs.get(run), "steps": steps}
        for number, (file, run, start, end, steps) in enumerate(rows)
    ]  # fmt: skip
    table = CATALOGUE["run_rows"]
    insert(connection, table, table.frame(pl.DataFrame(written, schema_overrides=table.polars_schema())))
    files = sorted({file for file, *_ in rows})
    remove_copies(connection, SOURCE, files, files)
    query = "SELECT file_sha256, run_id, steps FROM raw.run_rows ORDER BY run_id, started_at, file_sha256, steps"
    return connection.execute(query).fetchall()


def test_of_rows_within_each_other_the_longest_counts_and_what_lies_apart_is_an_attempt(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = (("f", "a", 0, 2, 10), ("g", "a", 0, 3, 20), ("g", "a", 6, 8, 40), ("f", "a", 6.5, 7, 30))
    assert kept(connection, *rows) == [("g", "a", 20), ("g", "a", 40)]


def test_equal_rows_count_in_the_first_file_unless_one_came_farther(connection: duckdb.DuckDBPyConnection) -> None:
    rows = (("f", "a", 0, 2, 10), ("g", "a", 0, 2, 10), ("f", "b", 0, 2, 10), ("g", "b", 0, 2, 20))
    assert kept(connection, *rows) == [("f", "a", 10), ("g", "b", 20)]


def test_rows_that_overlap_in_part_are_both_kept(connection: duckdb.DuckDBPyConnection) -> None:
    assert len(kept(connection, ("f", "a", 0, 3, 10), ("g", "a", 2, 5, 20))) == 2


def test_a_row_that_goes_on_is_a_copy_of_the_one_that_says_how_it_ended(connection: duckdb.DuckDBPyConnection) -> None:
    rows = (("f", "a", 0, None, 10), ("g", "a", 0, 3, 20), ("g", "a", 5, 6, 30), ("f", "b", 0, None, 1))
    assert kept(connection, *rows) == [("g", "a", 20), ("g", "a", 30), ("f", "b", 1)]


def test_of_rows_without_times_the_one_that_came_farthest_counts(connection: duckdb.DuckDBPyConnection) -> None:
    assert kept(connection, ("f", "a", None, None, 500), ("g", "a", None, None, 800)) == [("g", "a", 800)]


def test_many_rows_of_one_run_are_compared_once(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("f", "a", number / 100, 6000 - number / 100, number) for number in range(20_000)]
    assert kept(connection, *rows) == [("f", "a", 0)]


def test_rows_on_other_hosts_or_of_more_gpus_are_no_copies(connection: duckdb.DuckDBPyConnection) -> None:
    """One id at one time: the host n1 twice (once in capitals) is one row, n2 and more GPUs on n1 are two more."""
    told = [(["n1"], 4.0), (["N1"], 4.0), (["n2"], 4.0), (["n1"], 8.0)]
    written: list[dict[str, Any]] = [
        {"file_sha256": "f", "location": f"row {number}", "source": "logs", "run_id": "a", "run_key": "a",
         "hosts": hosts, "gpu_count": gpus, "is_job": False, "started_at": MIDNIGHT,
         "ended_at": MIDNIGHT + timedelta(hours=10), "end_source": "logged", "status": "finished"}
        for number, (hosts, gpus) in enumerate(told)
    ]  # fmt: skip
    table = CATALOGUE["run_rows"]
    insert(connection, table, table.frame(pl.DataFrame(written, schema_overrides=table.polars_schema())))
    remove_copies(connection, SOURCE, ["f"], ["f"])
    rows = connection.execute("SELECT hosts, gpu_count FROM raw.run_rows ORDER BY location").fetchall()
    assert rows == [(["n1"], 4.0), (["n2"], 4.0), (["n1"], 8.0)]


def test_runs_whose_logs_begin_alike_are_copies_where_one_lies_within_the_other(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    logs = dict.fromkeys(("a", "copy of a", "again"), "begins alike")
    rows = (("f", "a", 0, 3, 30), ("g", "copy of a", 0, 3, 30), ("h", "again", 6, 9, 30), ("i", "b", 0, 3, 30))
    assert kept(connection, *rows, logs=logs) == [("f", "a", 30), ("h", "again", 30), ("i", "b", 30)]


def test_a_copy_without_times_of_a_log_with_times_says_nothing_more(connection: duckdb.DuckDBPyConnection) -> None:
    logs = {"a": "x", "best": "x", "lonely": "y"}
    rows = (("f", "a", 0, 3, 30), ("g", "best", None, None, 20), ("h", "lonely", None, None, 20))
    assert kept(connection, *rows, logs=logs) == [("f", "a", 30), ("h", "lonely", 20)]
