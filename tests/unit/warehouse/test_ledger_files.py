"""The ledger as files: every posting in order, in any number of portions and threads, and nothing left behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from warehouse import exports, ledger_files, tables
from warehouse.connection import Limits, connect
from warehouse.ledger_files import write_ledger
from warehouse.private_folders import private_folder
from warehouse.schemas.ledger import Postings

START = datetime(2026, 11, 1, tzinfo=UTC)
NIGHT = date(2026, 11, 20)


def posted(count: int) -> pl.DataFrame:
    """So many postings, not in order, one of them named like a formula."""
    rows = [
        {"posting_id": f"cloud-{number * 7919 % count:05}-1", "charge_id": f"cloud-{number}", "line": 1,
         "charge_day": date(2026, 11, 1) + timedelta(days=number % 20), "source": "cloud", "charge_date": START.date(),
         "billing_period_start": date(2026, 11, 1), "account": "shared", "team": "=1+1" if number == 3 else None,
         "rule": "line 2", "gpu_seconds": number / 7, "is_waste": False, "currency": "USD", "known_at": START,
         "billed_cost": Decimal(number).scaleb(-12), "effective_cost": Decimal(-number)}
        for number in range(count)
    ]  # fmt: skip
    return Postings.frame(pl.DataFrame(rows, schema_overrides=Postings.polars_schema()))


def written(var: Path, rows: pl.DataFrame, threads: int) -> dict[str, bytes]:
    connection = connect(var, Limits(threads=threads))
    tables.write(connection, Postings, rows)
    with private_folder(var, "exports") as folder:
        paths = write_ledger(connection, folder, ("known_at",), NIGHT)
        files = {name: path.read_bytes() for name, path in paths.items()}
    connection.close()
    return files


@pytest.mark.parametrize("at_once", [1, 6, 7, 1000])
def test_portions_change_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(ledger_files, "ROWS_AT_ONCE", at_once)
    rows = posted(21)
    files = written(tmp_path, rows, threads=1)
    ordered = rows.sort("posting_id").drop("known_at")

    assert files["ledger.csv"] == exports.csv(ordered, ())
    assert b"'=1+1" in files["ledger.csv"]
    assert_frame_equal(pl.read_parquet(files["ledger/2026-11.parquet"]), ordered)


def test_order_and_threads_change_no_byte(tmp_path: Path) -> None:
    rows = posted(5000)

    assert written(tmp_path / "a", rows, 1) == written(tmp_path / "b", rows.sample(fraction=1, shuffle=True, seed=1), 4)


def test_an_empty_ledger_has_its_columns(tmp_path: Path) -> None:
    files = written(tmp_path, Postings.empty(), threads=1)

    assert files["ledger.csv"].count(b"\n") == 1
    assert list(files) == ["ledger.csv"]


def test_a_month_is_a_file_and_the_text_holds_the_latest_two(tmp_path: Path) -> None:
    rows = posted(3).with_columns(charge_date=pl.Series([date(2026, 9, 30), date(2026, 10, 1), date(2026, 11, 20)]))
    files = written(tmp_path, rows, threads=1)

    assert sorted(files) == [
        "ledger.csv",
        "ledger/2026-09.parquet",
        "ledger/2026-10.parquet",
        "ledger/2026-11.parquet",
    ]
    assert files["ledger.csv"].count(b"\n") == 3  # the header, October and November


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "tmp" / "exports-killed"
    left.mkdir(parents=True)
    with private_folder(tmp_path, "exports") as folder:
        assert folder.is_dir()
    assert list((tmp_path / "tmp").iterdir()) == []
