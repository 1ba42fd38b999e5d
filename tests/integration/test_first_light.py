"""The whole night on the public scenario: every number of its expected.json, to the last decimal."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

NIGHT = "2025-05-16"
NOW = "2025-05-17T06:00:00Z"


def trisect(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    command = [str(Path(sys.executable).with_name("trisect")), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def scenario(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("first_light") / "project"
    shutil.copytree(shared / "scenarios" / "first_light", project)
    return project


@pytest.fixture(scope="module")
def ran(scenario: Path) -> subprocess.CompletedProcess[str]:
    return trisect("run", "--project", str(scenario), "--night", NIGHT, "--now", NOW)


@pytest.fixture(scope="module")
def expected(scenario: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((scenario / "expected.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def night(scenario: Path, ran: subprocess.CompletedProcess[str]) -> Path:
    assert ran.returncode == 10, ran.stderr
    return scenario / "var" / "published" / NIGHT


@pytest.fixture(scope="module")
def manifest(night: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((night / "manifest.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture
def warehouse(scenario: Path, night: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    assert night.is_dir()
    with duckdb.connect(str(scenario / "var" / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def ledger(night: Path) -> list[dict[str, str]]:
    with (night / "ledger.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sums(rows: list[dict[str, str]], keys: tuple[str, ...]) -> dict[tuple[str, ...], list[Decimal]]:
    """Billed and effective cost by the keys, in Python decimals."""
    found: dict[tuple[str, ...], list[Decimal]] = {}
    for row in rows:
        total = found.setdefault(tuple(row[key] for key in keys), [Decimal(0), Decimal(0)])
        total[0] += Decimal(row["billed_cost"])
        total[1] += Decimal(row["effective_cost"])
    return found


def wanted(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> dict[tuple[str, ...], list[Decimal]]:
    """The sums that expected.json states for the keys."""
    return {
        tuple(row[key] for key in keys): [Decimal(row["billed_cost"]), Decimal(row["effective_cost"])] for row in rows
    }


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("totals", ("source", "currency")),
        ("accounts", ("currency", "account", "model_id", "phase")),
        ("by_source", ("source", "currency", "account")),
        ("by_date", ("charge_date", "currency", "account")),
        ("by_period", ("source", "billing_period_start", "currency")),
        ("by_pool", ("currency", "pool_id", "account")),
    ],
)
def test_the_exported_ledger_has_the_expected_sums(
    ledger: list[dict[str, str]], expected: dict[str, Any], part: str, keys: tuple[str, ...]
) -> None:
    assert sums(ledger, keys) == wanted(expected[part], keys)


def test_the_cost_of_each_deployment_is_expected(ledger: list[dict[str, str]], expected: dict[str, Any]) -> None:
    keys = ("currency", "deployment_id", "model_id")

    assert sums(ledger, keys) == wanted(expected["by_deployment"], keys)


def test_the_gpu_time_of_each_account_is_expected(ledger: list[dict[str, str]], expected: dict[str, Any]) -> None:
    keys = ("account", "model_id", "phase")
    found: Counter[tuple[str, ...]] = Counter()
    for row in ledger:
        found[tuple(row[key] for key in keys)] += float(row["gpu_seconds"])  # type: ignore[assignment]

    for row in expected["accounts"]:
        assert found[tuple(row[key] for key in keys)] == pytest.approx(row["gpu_seconds"], rel=1e-6)


def test_every_file_of_the_inbox_has_the_expected_row_account(
    manifest: dict[str, Any], expected: dict[str, Any]
) -> None:
    def by_file(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {row["file"]: row for row in rows}

    assert by_file(manifest["inputs"]) == by_file(expected["files"])


def test_every_refused_row_has_a_reason(night: Path, expected: dict[str, Any]) -> None:
    with (night / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        reasons = Counter(row["reason"] for row in csv.DictReader(file))

    assert reasons == expected["quarantine_reasons"]


def test_the_manifest_proves_that_the_ledger_is_the_bill(manifest: dict[str, Any], expected: dict[str, Any]) -> None:
    for total, right in zip(manifest["totals"], expected["totals"], strict=True):
        assert total["billed_cost"] == total["ledger_billed_cost"] == right["billed_cost"]
        assert total["effective_cost"] == total["ledger_effective_cost"] == right["effective_cost"]


def test_runs_are_counted_as_expected(warehouse: duckdb.DuckDBPyConnection, expected: dict[str, Any]) -> None:
    runs = expected["runs"]
    query = "SELECT {0}, count(*) FROM staging.training_runs GROUP BY 1"

    assert dict(warehouse.execute(query.format("status")).fetchall()) == runs["by_status"]
    assert dict(warehouse.execute(query.format("end_source")).fetchall()) == runs["by_end_source"]
    found = warehouse.execute(
        "SELECT coalesce(model_id, ''), coalesce(phase, ''), count(*), sum(gpu_seconds), coalesce(sum(tokens), 0) "
        "FROM staging.training_runs GROUP BY ALL"
    ).fetchall()
    by_phase = {(model, phase): rest for model, phase, *rest in found}
    for row in runs["by_model_phase"]:
        count, gpu_seconds, tokens = by_phase[row["model_id"], row["phase"]]
        assert (count, tokens) == (row["runs"], row["tokens"])
        assert gpu_seconds == pytest.approx(row["gpu_seconds"], rel=1e-9)


def test_runs_without_a_bill_have_no_cost(warehouse: duckdb.DuckDBPyConnection, expected: dict[str, Any]) -> None:
    query = "SELECT count(DISTINCT run_id) FROM ledger.postings WHERE run_id IS NOT NULL"

    assert warehouse.execute(query).fetchall()[0][0] == expected["runs"]["with_cost"]


def test_requests_are_counted_once(warehouse: duckdb.DuckDBPyConnection, expected: dict[str, Any]) -> None:
    columns = ("requests", "input_tokens", "cached_input_tokens", "output_tokens", "units")
    found = warehouse.execute(
        f"SELECT coalesce(model_id, ''), {', '.join(f'sum({c})' for c in columns)} FROM staging.token_usage GROUP BY 1"
    ).fetchall()

    assert {row["model_id"]: tuple(row[c] for c in columns) for row in expected["requests"]} == {
        model: tuple(int(value) for value in values) for model, *values in found
    }


def contents(night: Path) -> dict[Path, bytes]:
    """Every file of a published night, those in its folders too."""
    return {path.relative_to(night): path.read_bytes() for path in night.rglob("*") if path.is_file()}


def test_a_second_run_changes_no_byte(scenario: Path, night: Path) -> None:
    before = contents(night)

    again = trisect("run", "--project", str(scenario), "--night", NIGHT, "--now", NOW)

    assert again.returncode == 10
    assert contents(night) == before
    assert sorted(path.name for path in night.parent.iterdir()) == [NIGHT, "current", "index.html"]
