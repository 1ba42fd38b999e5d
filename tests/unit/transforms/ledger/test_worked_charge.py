"""The worked charge of docs/ledger.md: every number that the page prints, from the same rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from warehouse.schemas import CATALOGUE

PAGE = Path(__file__).parents[4] / "docs" / "ledger.md"


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{clock}").replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def night(books: Any) -> dict[str, pl.DataFrame]:
    charge = {
        "charge_id": "cloud-5f0c-1",
        "charge_start": at("09:30"),
        "charge_end": at("11:15"),
        "billed_cost": "10",
        "gpu_hours": "14",
        "tags": '{"pool": "train"}',
    }
    rule = {"field": "tag:pool", "pattern": "train", "target": "pool", "target_id": "train"}
    run = {"run_id": "sft-7", "pool_id": "train", "gpu_count": 4.0, "held_from": at("09:40"), "held_to": at("10:45"),
           "status": "finished", "model_id": "ember", "phase": "posttraining"}  # fmt: skip
    serving = [
        {"deployment_id": "chat", "model_id": model, "pool_id": "train", "gpu_count": 2.0}
        for model in ("ember", "spark")
    ]
    usage = [
        {"deployment_id": "chat", "model_id": model, "hour": at(hour), "status": "ok",
         "weighted_tokens_milli": tokens * 1000, "units": 0.0, "duration_us": 0}
        for model, hour, tokens in (("ember", "09:00", 300), ("spark", "09:00", 100), ("ember", "11:00", 50))
    ]  # fmt: skip
    found: dict[str, pl.DataFrame] = books(
        charges=[charge], rules=[rule], runs=[run], deployments=serving, usage=usage
    ).tables()
    return found


def printed(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n### ")[0]
    rows = [line.strip("| ").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_page_prints_the_uses_of_the_pool(night: dict[str, pl.DataFrame]) -> None:
    uses = [
        [f"{row['hour']:%H:%M}", row["user_id"] or "idle", f"{int(row['weight']):,}"]
        for row in night["pool_uses"].filter("is_billed").iter_rows(named=True)
    ]

    assert sorted(row[:3] for row in printed("Who used the pool")) == sorted(uses)


def test_the_page_prints_the_postings(night: dict[str, pl.DataFrame]) -> None:
    lines = [
        [str(row["line"]), row["account"], row["model_id"] or "", row["phase"] or "", row["run_id"] or "",
         row["deployment_id"] or "", f"{row['billed_cost']:f}", f"{row['gpu_seconds']:.3f}"]
        for row in night["postings"].iter_rows(named=True)
    ]  # fmt: skip

    assert printed("The postings") == lines


def test_the_printed_postings_add_up_to_the_charge() -> None:
    assert sum(Decimal(row[6]) for row in printed("The postings")) == Decimal(10)
    assert sum(Decimal(row[7]) for row in printed("The postings")) == Decimal(14 * 3600)


def test_the_page_prints_the_hours_of_the_charge() -> None:
    hours = [Decimal(row[2]) for row in printed("Time")]

    # 10 × 30/105, 60/105 and 15/105: the units left over go to the largest remainders
    assert hours == [Decimal("2.857142857143"), Decimal("5.714285714286"), Decimal("1.428571428571")]


def test_the_statements_of_the_page_run_on_the_tables_of_the_warehouse() -> None:
    statements = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    values = {"posting": "c-1", "model": "ember", "day": "2026-11-20"}

    with duckdb.connect() as connection:
        for table in CATALOGUE.values():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.table_stage}")
            connection.execute(table.ddl())
        for statement in statements:
            bound = {name: value for name, value in values.items() if f"${name}" in statement}
            assert connection.execute(statement, bound).fetchall() == []
    assert len(statements) == 3
