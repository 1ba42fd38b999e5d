"""The invented company: its files are the same every time, and add up to what its plan says."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.sample_truth import Truth, truth
from warehouse.sample import write_empty, write_sample
from warehouse.sample.company import Company
from warehouse.sample.hours import Calendar
from warehouse.sample.plan import quillmere
from warehouse.sample.requests import GATEWAY
from warehouse.sources.policy.hints import policy_findings
from warehouse.sources.policy.policy import FILE_NAMES, TABLES, read_policy

CLOSED = date(2026, 11, 1)
THIRD = 1 / 3


@pytest.fixture(scope="module")
def company() -> Company:
    return quillmere()


@pytest.fixture(scope="module")
def expected(company: Company) -> Truth:
    return truth(company)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def records(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


def charges(sample: Path) -> Iterator[dict[str, str]]:
    """Rows of every bill that is not replaced by a later one."""
    for provider in ("tarnfell", "skerrow", "brenloch"):
        for path in sorted((sample / "inbox" / provider).rglob("*.csv.gz")):
            if "as_of_10" not in path.name:
                yield from records(path)


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "again")
    assert digests(tmp_path / "again") == digests(sample)
    write_sample(tmp_path / "other", seed=8)
    assert digests(tmp_path / "other") != digests(sample)


def test_the_sample_is_small(sample: Path) -> None:
    assert sum(path.stat().st_size for path in sample.rglob("*") if path.is_file()) < 3_000_000


def test_its_settings_name_a_source_for_every_folder_of_the_inbox(sample: Path) -> None:
    settings = tomllib.loads((sample / "trisect.toml").read_text())
    assert {source["name"] for source in settings["source"]} == {path.name for path in (sample / "inbox").iterdir()}
    for source in settings["source"]:
        assert list(sample.glob(source["files"])), source["files"]


def test_its_policy_is_sound_and_leaves_nothing_to_find(sample: Path) -> None:
    policy, sources = read_policy(sample), [path.name for path in (sample / "inbox").iterdir()]
    assert policy_findings(sample, policy, sources) == ()
    assert policy["models"].height == 12
    assert policy["models"]["family"].n_unique() == 4


def test_every_month_of_the_bills_adds_up_to_the_plan(sample: Path, company: Company, expected: Truth) -> None:
    """Both costs, to a cent, in reporting currency; owned GPUs send no bill."""
    billed: dict[date, Decimal] = {}
    for row in charges(sample):
        month = date.fromisoformat(row["ChargePeriodStart"][:10]).replace(day=1)
        rate = company.rate_of(month, row["BillingCurrency"])
        billed[month] = billed.get(month, Decimal(0)) + Decimal(row["BilledCost"]) * rate
    planned = (
        expected.spend.filter(pl.col("pool_id").ne_missing("lab-a100"))
        .group_by("month")
        .agg(pl.col("billed_usd").sum())
        .rows()
    )
    assert len(planned) == 12
    for month, usd in planned:
        assert float(billed[month]) == pytest.approx(usd, abs=0.01)


def test_a_commitment_bills_what_its_use_and_its_waste_consume(sample: Path) -> None:
    """Purchases of closed months = effective cost of used and unused rows, per commitment."""
    sums: dict[str, list[Decimal]] = {}
    for row in charges(sample):
        if row["CommitmentDiscountId"] and row["BillingPeriodStart"] < CLOSED.isoformat():
            pair = sums.setdefault(row["CommitmentDiscountId"], [Decimal(0), Decimal(0)])
            pair[0] += Decimal(row["BilledCost"])
            pair[1] += Decimal(row["EffectiveCost"])
    assert len(sums) > 5
    assert all(billed == effective for billed, effective in sums.values())


def test_control_files_state_what_their_bills_hold(sample: Path) -> None:
    controls = sorted((sample / "inbox" / "tarnfell").glob("*.control.json"))
    assert len(controls) == 11
    for path in controls:
        stated = json.loads(path.read_text())
        rows = records(path.with_name(stated["files"][0]["name"]))
        assert len(rows) == stated["files"][0]["rows"]
        assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(stated["invoices"][0]["billed_cost"])


def test_the_open_month_arrives_twice_and_the_later_file_holds_all_of_the_earlier(sample: Path) -> None:
    folder = sample / "inbox" / "tarnfell"
    early = {tuple(row.items()) for row in records(folder / "focus_2026-11_as_of_10.csv.gz")}
    late = {tuple(row.items()) for row in records(folder / "focus_2026-11_as_of_20.csv.gz")}
    assert early < late


def test_a_correction_restates_august_in_the_bill_of_october(sample: Path) -> None:
    (row,) = (row for row in charges(sample) if row["ChargeClass"])
    assert (row["BillingPeriodStart"][:7], row["ChargePeriodStart"][:7], row["BilledCost"]) == (
        "2026-10", "2026-08", "-38416.2",
    )  # fmt: skip


def test_no_pool_is_promised_to_more_gpus_than_it_has(company: Company) -> None:
    """In every hour of every pool: runs and deployments hold no more than is bought."""
    calendar = Calendar(company)
    known = np.array(calendar.hours) < company.end
    for pool_id in {supply.pool_id for supply in (*company.supplies, *company.owned)}:
        bought = np.zeros(calendar.count)
        for supply in (*company.supplies, *company.owned):
            if supply.pool_id == pool_id:
                bought += sum(supply.gpus * calendar.held(start, end) for start, end in supply.intervals())
        held = sum(calendar.gpus(each) for each in company.deployments if each.pool_id == pool_id) + sum(
            run.gpus * calendar.held(run.start, run.end) for run in company.runs if run.pool_id == pool_id
        )
        assert ((bought - held)[known] > -1e-9).all(), pool_id


def test_every_cost_of_the_plan_has_one_account(expected: Truth) -> None:
    """What the plan spends in effective cost = what its accounts hold; purchases alone are billed and not consumed."""
    accounts = set(expected.spend["account"])
    assert accounts == {
        "direct", "idle", "commitment_unused", "shared", "adjustment", "unallocated", "out_of_scope",
    }  # fmt: skip
    spend = expected.spend.filter(pl.col("month") < CLOSED)
    assert spend["billed_usd"].sum() == pytest.approx(spend["effective_usd"].sum(), rel=1e-9)


def test_requests_in_the_files_are_those_of_the_plan(sample: Path, expected: Truth) -> None:
    """Tokens of the gateway's Parquet, the batches and the agents, duplicates counted once."""
    gateway = pl.read_parquet(sample / "inbox" / "gateway" / "*.parquet")
    counted = gateway[GATEWAY["input_tokens"]].sum() + gateway[GATEWAY["output_tokens"]].sum()
    batches = {row["batch_id"]: row for path in (sample / "inbox" / "batches").iterdir() for row in records(path)}
    counted += sum(int(row["tokens_in"]) + int(row["tokens_out"]) for row in batches.values())
    counted += sum(chat_tokens(sample).values())
    tokens = expected.tokens
    assert counted == tokens["input_tokens"].sum() + tokens["output_tokens"].sum()


def chat_tokens(sample: Path) -> dict[str, int]:
    """Tokens of each chat span of the agents' traces."""
    found: dict[str, int] = {}
    for path in (sample / "inbox" / "agents").iterdir():
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            (chat,) = (
                span
                for span in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
                if span["name"].startswith("chat")
            )
            counts = [each["value"]["intValue"] for each in chat["attributes"] if "intValue" in each["value"]]
            found[chat["traceId"]] = sum(map(int, counts))
    return found


def test_some_lines_come_twice_and_some_are_empty(sample: Path) -> None:
    texts = [gzip.decompress(path.read_bytes()).decode() for path in (sample / "inbox" / "batches").iterdir()]
    assert sum(content.count("\n\n") for content in texts) > 10
    lines = [line for content in texts for line in content.splitlines() if line.startswith("lb-")]
    assert len(lines) - len(set(lines)) > 40


def shares(expected: Truth, model_id: str) -> list[float]:
    spend = expected.spend.filter(pl.col("model_id") == model_id, pl.col("account") == "direct")
    by_phase = dict(spend.group_by("phase").agg(pl.col("effective_usd").sum()).rows())
    phases = [by_phase.get(phase, 0.0) for phase in ("pretraining", "posttraining", "inference")]
    return [usd / sum(phases) for usd in phases]


def test_the_models_carry_the_story_that_the_readme_tells(expected: Truth) -> None:
    """Penalty of thirds s: Π (⅓ / s)^⅓ − 1."""
    penalty = {
        model_id: float(np.prod([(THIRD / share) ** THIRD for share in shares(expected, model_id)])) - 1
        for model_id in ("heron-34b", "heron-70b", "heron-16b")
    }
    assert penalty["heron-34b"] > 0.3
    assert shares(expected, "heron-34b")[2] > 0.7
    assert penalty["heron-70b"] > 0.2
    assert shares(expected, "heron-70b")[0] > 0.6
    assert penalty["heron-16b"] < 0.02


def test_waste_idle_and_unused_cost_something_and_not_everything(expected: Truth) -> None:
    total = expected.spend["effective_usd"].sum()
    wasted = expected.spend.filter("is_waste")["effective_usd"].sum()
    idle = expected.spend.filter(pl.col("account") == "idle")["effective_usd"].sum()
    assert 0.005 < wasted / total < 0.03
    assert 0.1 < idle / total < 0.25


def test_an_empty_project_has_settings_headers_and_folders(tmp_path: Path) -> None:
    write_empty(tmp_path)
    assert tomllib.loads((tmp_path / "trisect.toml").read_text())["company"] == {
        "name": "Example AI",
        "currency": "USD",
    }
    assert {path.stem for path in (tmp_path / "policy").iterdir()} == {FILE_NAMES.get(name, name) for name in TABLES}
    assert sorted(path.name for path in (tmp_path / "inbox").iterdir()) == ["bills", "requests", "training"]
    built_in = {"instances", "api_prices"}
    assert all(rows.is_empty() for name, rows in read_policy(tmp_path).items() if name not in built_in)
