"""The ledger as FOCUS: it adds up to every invoice, and what reads it back finds the same ledger."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.preview import computed
from orchestration.settings import load
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.accruals import accruals
from transforms.staging.charges import charges
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from transforms.staging.run_attempts import run_attempts
from transforms.staging.token_usage import token_usage
from transforms.staging.training_runs import training_runs
from transforms.staging.workload_uses import workload_uses
from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land

READ_ON = date(2026, 11, 30)
"""The last day of the charges: what is billed for days after the night is a charge of those days when read back."""
LEDGER = (
    *(
        accruals,
        repeated_gpu_hours,
        charges,
        run_attempts,
        training_runs,
        token_usage,
        workload_uses,
        charge_rules,
        billed_hours,
    ),
    *(pool_uses, deployment_shares, postings),
)
COMPARED = ("account", "model_id", "phase", "charge_date", "invoice_id", "currency")


@pytest.fixture(scope="module")
def published(sample_night: Path) -> Path:
    return (sample_night / "var/published/current").resolve()


def test_every_invoice_is_the_bill_and_every_posting_is_a_charge(sample_night: Path, published: Path) -> None:
    warehouse = duckdb.connect(str(sample_night / "var/warehouse.duckdb"), read_only=True)
    billed = warehouse.sql(
        "SELECT invoice_id, currency, sum(billed_cost)::DECIMAL(38,12), sum(effective_cost)::DECIMAL(38,12) "
        "FROM staging.charges GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    exported = duckdb.sql(
        "SELECT InvoiceId, BillingCurrency, sum(BilledCost)::DECIMAL(38,12), sum(EffectiveCost)::DECIMAL(38,12) "
        f"FROM '{published}/focus.parquet' GROUP BY ALL ORDER BY ALL"
    ).fetchall()

    assert exported == billed
    assert warehouse.sql("SELECT sum(list_cost)::DECIMAL(38,12) FROM staging.charges").fetchall() == (
        duckdb.sql(f"SELECT sum(ListCost)::DECIMAL(38,12) FROM '{published}/focus.parquet'").fetchall()
    )


def test_both_files_hold_the_same_charges(published: Path) -> None:
    parquet = pl.read_parquet(published / "focus.parquet")
    text = pl.read_csv(published / "focus.csv.gz", infer_schema=False)

    assert text.columns == parquet.columns
    assert text["x_PostingId"].to_list() == parquet["x_PostingId"].to_list()
    assert text["BilledCost"].cast(pl.Decimal(38, 12)).to_list() == parquet["BilledCost"].to_list()


def test_the_months_of_the_ledger_are_the_ledger_and_the_text_its_last_two(sample_night: Path, published: Path) -> None:
    warehouse = duckdb.connect(str(sample_night / "var/warehouse.duckdb"), read_only=True)
    months = sorted(path.stem for path in (published / "ledger").glob("*.parquet"))
    query = "SELECT DISTINCT strftime(charge_date, '%Y-%m') FROM ledger.postings ORDER BY 1"

    assert months == [month for (month,) in warehouse.sql(query).fetchall()]
    total = "SELECT count(*), sum(billed_cost)::DECIMAL(38,12) FROM"
    assert duckdb.sql(f"{total} '{published}/ledger/*.parquet'").fetchall() == (
        warehouse.sql(f"{total} ledger.postings").fetchall()
    )
    days = pl.read_csv(published / "ledger.csv", columns=["charge_date"])["charge_date"]
    assert sorted(set(days.str.slice(0, 7))) == months[-2:] == ["2026-10", "2026-11"]


def test_every_table_of_economics_and_decisions_is_exported(published: Path) -> None:
    names = {path.stem for path in (published / "tables").glob("*.parquet")}

    assert {"thirds", "unit_costs", "recommendations", "waste", "daily_spend", "billed_days"} <= names
    assert (
        pl.read_parquet(published / "tables/thirds.parquet").height
        == len((published / "thirds.csv").read_text().splitlines()) - 1
    )


def test_what_reads_the_charges_back_finds_the_same_ledger(sample_night: Path, published: Path, tmp_path: Path) -> None:
    """Rules on the tag `allocation` lead each charge to the account, model and phase it was allocated to."""
    exported = pl.read_parquet(published / "focus.parquet", columns=["AllocatedTags"])
    allocations = sorted({json.loads(tags)["allocation"] for tags in exported["AllocatedTags"].unique()})
    rules = ["priority,source,field,pattern,target,target_id,phase,team,valid_from,valid_to"]
    for allocation in allocations:
        account, *steps = allocation.split("/")
        if account == "direct":
            rules.append(f"1,*,tag:allocation,{allocation},model,{steps[0]},{steps[1]},,,")
        elif account in {"shared", "out_of_scope"}:
            rules.append(f"1,*,tag:allocation,{allocation},{account},{account},,,,")
        elif account == "idle":
            rules.append(f"1,*,tag:allocation,{allocation},pool,nobody,,,,")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/attribution.csv").write_text("\n".join(rules) + "\n")
    shutil.copy(sample_night / "policy/models.csv", tmp_path / "policy/models.csv")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/focus.parquet").write_bytes((published / "focus.parquet").read_bytes())
    (tmp_path / "trisect.toml").write_text(
        '[company]\nname = "Read back"\n[[source]]\nname = "trisect"\nkind = "gpu_billing"\nformat = "focus"\n'
        'files = "inbox/focus.parquet"\n'
    )
    project = load(tmp_path)
    connection = connect(tmp_path / "var", Limits())
    place = Workspace(tmp_path, tmp_path / "var")
    landed = land(place, project.settings.sources(), connection, READ_ON, READ_ON)
    again = computed(connection, project, place, READ_ON, LEDGER)["postings"]
    before = pl.read_parquet(published / "ledger/*.parquet")

    assert landed.rejections == ()
    assert sums(again) == sums(before)
    assert gpu_seconds(again) == pytest.approx(gpu_seconds(before), rel=1e-6)


def sums(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """Costs of each account, model, phase, day and invoice."""
    costs = rows.group_by(COMPARED).agg(pl.col("billed_cost", "effective_cost").sum())
    return costs.sort(COMPARED, nulls_last=True).rows()


def gpu_seconds(rows: pl.DataFrame) -> dict[str, float]:
    """GPU time of each account."""
    return dict(rows.group_by("account").agg(pl.col("gpu_seconds").sum()).iter_rows())


def test_the_public_validator_finds_what_the_page_lists_and_nothing_else(published: Path) -> None:
    validator = os.environ.get("TRISECT_FOCUS_VALIDATOR")
    if validator is None:
        pytest.skip(
            "TRISECT_FOCUS_VALIDATOR names no focus-validator (docs/focus-out.md): conformance is not shown here"
        )
    rules = next(Path(validator).parents[1].glob("lib/python*/site-packages"))  # it looks for its lists from there
    asked = ["--data-file", str(published / "focus.parquet"), "--validate-version", "1.2.0.1", "--block-download"]
    answer = subprocess.run(
        [validator, *asked, "--output-type", "console"], cwd=rules, capture_output=True, text=True, check=True
    ).stdout
    assert "BilledCost" in answer  # it has looked at the file
    broken = set(re.findall(r"^- (\w+)-C-\d+", answer, re.MULTILINE))
    broken |= set(re.findall(r"^- CostAndUsage-\S+ violations=\d+; Column '(\w+)'", answer, re.MULTILINE))
    page = (Path(__file__).parents[2] / "docs" / "focus-out.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ([^|]*) \|", page.partition("**The public validator.**")[2], re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert (broken - listed, listed - broken) == (set(), set())
