"""What is damaged below var/ is set aside; what is only busy or full stays."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from warehouse import recovery
from warehouse.connection import Limits, connect
from warehouse.sample.whole import ASIDE, is_free, write_whole

ROWS = 200_000


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A warehouse with a table of some blocks."""
    with closing(connect(tmp_path, Limits())) as connection:
        connection.execute(f"CREATE TABLE meta.filler AS SELECT hash(range)::VARCHAR AS cell FROM range({ROWS})")
    return tmp_path


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def flipped(path: Path) -> None:
    """One byte in the middle of the file is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, emptied, overwritten, flipped])
def test_a_damaged_warehouse_is_set_aside_with_one_sentence(
    var: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(var / "warehouse.duckdb")

    assert recovery.set_aside_what_is_damaged(var)
    assert sorted(path.name for path in var.glob("warehouse*")) == ["warehouse.duckdb.old"]
    [said] = [record.getMessage() for record in caplog.records]
    assert "set aside as warehouse.duckdb.old and built again" in said
    connect(var, Limits()).close()
    assert not recovery.set_aside_what_is_damaged(var)


def test_a_warehouse_that_cannot_be_opened_is_built_again_at_once(var: Path) -> None:
    overwritten(var / "warehouse.duckdb")

    with closing(connect(var, Limits())) as connection:
        assert connection.execute("SELECT count(*) FROM raw.files").fetchall() == [(0,)]


def test_a_warehouse_that_another_process_has_open_is_not_damaged(var: Path) -> None:
    held = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", held, str(var / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert not recovery.set_aside_what_is_damaged(var)
        other.communicate()


def test_a_damaged_store_of_dagster_is_set_aside_and_a_busy_one_is_not(tmp_path: Path) -> None:
    store = tmp_path / "dagster" / "history" / "runs.db"
    store.parent.mkdir(parents=True)
    with closing(sqlite3.connect(store)) as busy:
        busy.execute("CREATE TABLE runs (id INTEGER)")
        busy.execute("BEGIN EXCLUSIVE")
        assert not recovery.set_aside_what_is_damaged(tmp_path)
    overwritten(store)

    assert recovery.set_aside_what_is_damaged(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dagster.old"]


def test_half_a_project_is_written_again_and_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    def killed(folder: Path) -> None:
        (folder / "policy").mkdir()
        (folder / "policy" / "models.csv").write_text("half")
        raise KeyboardInterrupt

    def written(folder: Path) -> None:
        (folder / "policy").mkdir()
        (folder / "policy" / "models.csv").write_text("whole")
        (folder / "trisect.toml").write_text("")

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "p", killed)
    assert not (tmp_path / "p" / "trisect.toml").exists()
    assert is_free(tmp_path / "p")
    (tmp_path / "p" / "policy").mkdir()  # as a kill between the moves leaves it

    write_whole(tmp_path / "p", written)
    assert (tmp_path / "p" / "policy" / "models.csv").read_text() == "whole"
    assert not (tmp_path / "p" / ASIDE).exists()
    assert not is_free(tmp_path / "p")


def test_a_closed_warehouse_is_read_to_its_end(var: Path) -> None:
    with closing(duckdb.connect(str(var / "warehouse.duckdb"), read_only=True)) as connection:
        assert connection.execute("SELECT count(*) FROM meta.filler").fetchall() == [(ROWS,)]
    assert not recovery.set_aside_a_damaged_warehouse(var)
