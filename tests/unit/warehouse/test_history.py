"""What published nights said, remembered from their directories."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse import history, publish
from warehouse.connection import Limits, connect

NIGHT = date(2026, 10, 2)
ROLLED = (
    b"month,model_id,method,basis,opening_usd,additions_usd,amortized_usd,written_off_usd,closing_usd,tokens_served,"
    b"expected_tokens,expected_days\n"
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(tmp_path / "var", Limits()) as opened:
        yield opened


def published(root: Path, revision: int, *inputs: tuple[str, str], night: date = NIGHT) -> None:
    """A night with the bills of aws, and a manifest that names these inputs."""
    bills = (
        b"source,billing_period_start,invoice_id,currency,charges,billed_cost,effective_cost,correction_billed_cost\n"
    )
    files = [{"source": source, "file": f"inbox/{source}/{sha}.csv", "sha256": sha} for source, sha in inputs]
    publish.publish(root, night, revision, {
        "reconciliation.csv": bills + b"aws,2026-09-01,A-9,USD,3,100,100,0\n",
        "recommendations.csv": b"rank,action\n",
        "amortization.csv": ROLLED + b"2026-09-01,kite,straight_line,policy,100,0,30,70,0,5.0,,20\n",
        "manifest.json": json.dumps({"inputs": files, "totals": [{"source": "aws"}], "outputs": []}).encode(),
    })  # fmt: skip


def remembered(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute("SELECT source, sha256 FROM history.published_bills ORDER BY 1, 2").fetchall()


def test_the_files_of_sources_that_bill_are_remembered(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    published(tmp_path / "published", 1, ("aws", "a"), ("aws", "b"), ("gateway", "c"))
    history.remember(connection, tmp_path / "published")
    assert remembered(connection) == [("aws", "a"), ("aws", "b")]  # no charge of the gateway was reported


def test_a_revision_takes_the_place_of_what_it_revises(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    published(tmp_path / "published", 1, ("aws", "a"))
    history.remember(connection, tmp_path / "published")
    published(tmp_path / "published", 2, ("aws", "b"))
    history.remember(connection, tmp_path / "published")
    assert remembered(connection) == [("aws", "b")]
    assert connection.execute("SELECT count(*) FROM history.published_periods").fetchall() == [(1,)]


def test_of_each_month_the_first_night_alone_is_remembered_by_its_files(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    published(tmp_path / "published", 1, ("aws", "a"))
    published(tmp_path / "published", 1, ("aws", "b"), night=date(2026, 10, 3))
    published(tmp_path / "published", 1, ("aws", "c"), night=date(2026, 11, 1))
    history.remember(connection, tmp_path / "published")
    assert remembered(connection) == [("aws", "a"), ("aws", "c")]
    assert connection.execute("SELECT count(*) FROM history.published_periods").fetchall() == [(3,)]


def test_how_training_was_carried_is_remembered_of_the_first_night_of_a_month(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for night in (NIGHT, date(2026, 10, 3), date(2026, 11, 1)):
        published(tmp_path / "published", 1, night=night)
    history.remember(connection, tmp_path / "published")
    query = "SELECT night, month, model_id, basis, written_off_usd::int, expected_tokens, expected_days "
    assert connection.execute(f"{query} FROM history.published_amortization ORDER BY 1").fetchall() == [
        (night, date(2026, 9, 1), "kite", "policy", 70, None, 20) for night in (NIGHT, date(2026, 11, 1))
    ]


def test_a_first_night_made_up_later_takes_the_place_of_the_one_that_was_first(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # 3 October was published before 2 October; read again from the start the memory is the same
    published(tmp_path / "published", 1, ("aws", "b"), night=date(2026, 10, 3))
    history.remember(connection, tmp_path / "published")
    published(tmp_path / "published", 1, ("aws", "a"))
    history.remember(connection, tmp_path / "published")
    closing = "SELECT DISTINCT night FROM history.published_amortization"
    assert (remembered(connection), connection.execute(closing).fetchall()) == ([("aws", "a")], [(NIGHT,)])
    connection.execute("DELETE FROM history.published_nights")
    history.remember(connection, tmp_path / "published")
    assert (remembered(connection), connection.execute(closing).fetchall()) == ([("aws", "a")], [(NIGHT,)])


def test_the_night_after_one_that_is_gone_is_the_first_of_its_month(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for night, sha in ((NIGHT, "a"), (date(2026, 10, 3), "b")):
        published(tmp_path / "published", 1, ("aws", sha), night=night)
    history.remember(connection, tmp_path / "published")
    shutil.rmtree(publish.directory(tmp_path / "published", NIGHT, 1))
    history.remember(connection, tmp_path / "published")
    assert remembered(connection) == [("aws", "b")]
