"""The version that Dagster is told of a table changes with its rows, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from orchestration.settings import load
from orchestration.settings_tables import settings_table
from warehouse import tables
from warehouse.connection import Limits, connect
from warehouse.schemas.policy import AcceptedFindings, Settings
from warehouse.schemas.table import Table

Versions = Callable[[type[Table], pl.DataFrame], str]


@pytest.fixture
def version(tmp_path: Path) -> Iterator[Versions]:
    """The version of a table that holds these rows."""
    with closing(connect(tmp_path / "var", Limits(memory="500MB"))) as connection:

        def of(table: type[Table], rows: pl.DataFrame) -> str:
            tables.write(connection, table, rows)
            return tables.content_version(connection, table)

        yield of


def accepted(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=AcceptedFindings.polars_schema(), orient="row")


def test_the_order_of_rows_is_no_news_and_a_row_more_or_another_word_is(version: Versions) -> None:
    one, other = ("aws", "double_billed", "i-1"), ("aws", "double_billed", "i-2")
    first = version(AcceptedFindings, accepted(one, other))
    assert version(AcceptedFindings, accepted(other, one)) == first
    assert version(AcceptedFindings, accepted(one)) != first
    assert version(AcceptedFindings, accepted(one, ("aws", "double_billed", "i-3"))) != first


def test_the_clock_of_the_run_is_no_news(version: Versions, tmp_path: Path) -> None:
    (tmp_path / "trisect.toml").write_text('[company]\nname = "Example AI"\n')
    settings, night = load(tmp_path).settings, date(2026, 11, 20)
    rows = [settings_table(settings, night, datetime(2026, 11, 21, hour, tzinfo=UTC)) for hour in (6, 7)]
    assert len({version(Settings, row) for row in rows}) == 1
    assert version(Settings, settings_table(settings, date(2026, 11, 19), rows[0]["built_at"].item())) != version(
        Settings, rows[0]
    )
