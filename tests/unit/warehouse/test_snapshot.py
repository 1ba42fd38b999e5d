"""The copy of the warehouse that readers open while a run writes."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from warehouse.snapshot import write_snapshot


@pytest.fixture
def warehouse(tmp_path: Path) -> Callable[[str], None]:
    def write(statement: str) -> None:
        with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
            connection.execute(statement)

    write("CREATE TABLE spend AS SELECT 1 AS usd")
    return write


def read(path: Path) -> int:
    with duckdb.connect(str(path / "snapshot.duckdb"), read_only=True) as connection:
        (usd,) = connection.sql("SELECT sum(usd)::int FROM spend").fetchall()[0]
        return int(usd)


@pytest.mark.usefixtures("warehouse")
def test_the_copy_is_read_while_a_run_writes_and_says_what_the_last_finished_night_said(tmp_path: Path) -> None:
    write_snapshot(tmp_path)

    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as running:
        running.execute("INSERT INTO spend VALUES (2)")
        assert read(tmp_path) == 1

    write_snapshot(tmp_path)
    assert read(tmp_path) == 3  # 1 + 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshot.duckdb", "warehouse.duckdb"]


def test_who_reads_the_copy_goes_on_reading_it_when_the_next_night_leaves_another(
    tmp_path: Path, warehouse: Callable[[str], None]
) -> None:
    write_snapshot(tmp_path)
    with duckdb.connect(str(tmp_path / "snapshot.duckdb"), read_only=True) as reader:
        warehouse("INSERT INTO spend VALUES (2)")
        write_snapshot(tmp_path)

        assert reader.sql("SELECT sum(usd)::int FROM spend").fetchall() == [(1,)]


@pytest.mark.usefixtures("warehouse")
def test_nobody_else_may_read_it_and_nobody_writes_to_it(tmp_path: Path) -> None:
    write_snapshot(tmp_path)

    assert (tmp_path / "snapshot.duckdb").stat().st_mode & 0o777 == 0o400


def test_a_full_disk_costs_the_copy_alone_and_is_said(
    tmp_path: Path,
    warehouse: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_snapshot(tmp_path)
    warehouse("INSERT INTO spend VALUES (2)")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with caplog.at_level(logging.WARNING, "trisect.steps"):
        write_snapshot(tmp_path)

    assert read(tmp_path) == 1
    assert "No space left on device; make room for a second warehouse" in caplog.text
