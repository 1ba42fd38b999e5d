"""What is kept no longer goes whole, and nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse import outbox, publish, retention
from warehouse.connection import Limits, connect
from warehouse.landing.requests.landed_parquet import landed_path

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse."""
    with closing(connect(tmp_path, Limits())) as connection:
        yield connection


def put(var: Path, *nights: str) -> None:
    """Published directories of these names, of three bytes each."""
    for night in nights:
        (var / "published" / night).mkdir(parents=True)
        (var / "published" / night / "manifest.json").write_text("{ }")


def test_months_are_counted_back_from_the_newest_night() -> None:
    assert publish.oldest_kept(date(2026, 11, 20), 24) == date(2024, 11, 1)
    assert publish.oldest_kept(date(2024, 2, 29), 1) == date(2024, 1, 1)
    assert publish.oldest_kept(date(2026, 1, 31), 13) == date(2024, 12, 1)


def test_old_nights_go_but_for_the_one_that_closed_the_month_before(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    old = ["2026-08-01", "2026-08-01-r2", "2026-08-02", "2026-09-03", "2026-09-04"]
    put(tmp_path, *old, "2026-10-01", "2026-11-20")

    gone = retention.outdated(tmp_path, connection, 1, NOW)
    retention.remove(connection, gone)

    # 1 October is the first night that is kept; of August and September the last revision of the first night stays
    assert [one.path.name for one in gone] == ["2026-08-01", "2026-08-02", "2026-09-04"]
    assert publish.nights(tmp_path / "published") == {
        date(2026, 8, 1): 2,
        date(2026, 9, 3): 1,
        date(2026, 10, 1): 1,
        date(2026, 11, 20): 1,
    }
    assert list((tmp_path / "published").glob(".*")) == []
    assert retention.sentences(gone) == ["3 published nights, 0.0 MB"]


def test_landed_files_that_no_content_of_the_inbox_has_go(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    folder = tmp_path / "landed" / "requests"
    folder.mkdir(parents=True)
    kept = landed_path(folder, "gw", "aa", "r")
    for path in (kept, landed_path(folder, "gw", "bb", "r"), kept.with_suffix(".damaged")):
        path.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "landed_names", lambda _: {kept.name})
        retention.remove(connection, retention.outdated(tmp_path, connection, 24, NOW))

    assert list(folder.iterdir()) == [kept]


def test_what_was_set_aside_goes_after_a_week_and_records_of_letters_with_their_nights(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    put(tmp_path, "2026-11-20")
    for name, days in (("warehouse.duckdb.old", 8), ("warehouse.duckdb.old.wal", 6)):
        (tmp_path / name).touch()
        at = NOW.timestamp() - days * 86_400
        os.utime(tmp_path / name, (at, at))
    for night in (date(2024, 10, 31), date(2026, 11, 1)):
        (tmp_path / "delivery").mkdir(exist_ok=True)
        outbox.keep(tmp_path / "delivery", [outbox.Letter(night, "r1", "board", "a@example.com")])

    retention.remove(connection, retention.outdated(tmp_path, connection, 24, NOW))

    assert sorted(path.name for path in tmp_path.glob("warehouse.duckdb.old*")) == ["warehouse.duckdb.old.wal"]
    assert outbox.nights(tmp_path / "delivery") == [date(2026, 11, 1)]
