"""The invented company through the whole night: the tables say what its plan says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.sample_truth import Truth, truth
from warehouse.sample.plan import quillmere

KEYS = ["month", "account", "model_id", "phase", "is_waste"]
SPEND = """
select date_trunc('month', charge_date)::date as month, account, model_id, phase, is_waste,
       sum(billed_cost * coalesce(rate, 1))::double as billed,
       sum(effective_cost * coalesce(rate, 1))::double as effective
from ledger.postings
left join policy.fx on fx.month = date_trunc('month', charge_date)::date and fx.currency = postings.currency
group by all
"""
TOKENS = """
select date_trunc('month', hour)::date as month, model_id, status, sum(requests)::bigint as requests,
       sum(input_tokens)::bigint as input_tokens, sum(cached_input_tokens)::bigint as cached_input_tokens,
       sum(output_tokens)::bigint as output_tokens, sum(units)::bigint as units
from staging.token_usage group by all order by all
"""


@pytest.fixture(scope="module")
def project(sample_night: Path) -> Path:
    return sample_night


@pytest.fixture(scope="module")
def expected() -> Truth:
    return truth(quillmere())


def table(project: Path, query: str) -> pl.DataFrame:
    with duckdb.connect(str(project / "var" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.sql(query).pl()


def test_every_account_model_and_phase_costs_what_the_plan_says(project: Path, expected: Truth) -> None:
    planned = expected.spend.group_by(KEYS).agg(pl.col("billed_usd", "effective_usd").sum())
    both = planned.join(table(project, SPEND), on=KEYS, how="full", nulls_equal=True, coalesce=True).fill_null(0.0)
    assert (both["billed"] - both["billed_usd"]).abs().max() < 0.01
    assert (both["effective"] - both["effective_usd"]).abs().max() < 0.01


def test_every_model_served_what_the_plan_says(project: Path, expected: Truth) -> None:
    planned = expected.tokens.with_columns(pl.col(pl.Int64).cast(pl.Int64)).sort("month", "model_id", "status")
    assert table(project, TOKENS).rows() == planned.rows()


def test_nothing_is_quarantined_and_what_came_twice_or_empty_is_counted(project: Path) -> None:
    (sums,) = table(
        project,
        "select sum(rows)::int, sum(accepted)::int, sum(quarantined)::int, sum(duplicates)::int, sum(blank)::int "
        "from raw.files",
    ).rows()
    rows, accepted, quarantined, duplicates, blank = sums
    assert quarantined == 0
    assert duplicates > 60
    assert blank > 15
    assert rows == accepted + duplicates + blank


def test_the_same_night_again_publishes_nothing_and_changes_no_byte(
    project: Path, run: Callable[..., Path], tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(project, again, symlinks=True)
    night = (project / "var" / "published" / "current").resolve().name
    run(again, "--night", night, "--now", "2027-01-01T00:00:00Z")

    assert published(again) == published(project)


def published(project: Path) -> dict[str, bytes]:
    """Every published file by its path."""
    folder = project / "var" / "published"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
