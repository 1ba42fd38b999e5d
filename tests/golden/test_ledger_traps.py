"""A small company with every trap of a ledger, worked out by hand: month ends, corrections, commitments, owned GPUs.

Times are UTC; the night is 2026-11-02. `USD 10 / 8` in the comments is billed / effective.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.variance.reconciliation import reconciliation
from transforms.ledger import checks
from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.commitment_balances import commitments
from transforms.ledger.daily_charges import billed_days
from transforms.ledger.daily_postings import booked_days
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from transforms.staging.accruals import accruals
from transforms.staging.charges import charges
from transforms.staging.delivered_days import delivered_days
from transforms.staging.repeated_gpu_hours import repeated_gpu_hours
from transforms.staging.run_attempts import run_attempts
from transforms.staging.token_usage import token_usage
from transforms.staging.training_runs import training_runs
from transforms.staging.workload_uses import workload_uses
from warehouse.schemas import CATALOGUE

CHAIN = (
    accruals,
    repeated_gpu_hours,
    charges,
    delivered_days,
    run_attempts,
    training_runs,
    token_usage,
    workload_uses,
    charge_rules,
    billed_days,
    billed_hours,
    pool_uses,
    deployment_shares,
    postings,
    booked_days,
    commitments,
    reconciliation,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def row(name: str, start: str, end: str, cost: str, **more: Any) -> dict[str, Any]:
    period = more.pop("period", at(start).date().replace(day=1))
    return {
        "file_sha256": "f", "location": name, "source": "cloud", "content_hash": name,
        "dimension_hash": name.ljust(24, "0"),
        "billing_period_start": period, "billing_period_end": (period.replace(day=28)), "charge_start": at(start),
        "charge_end": at(end), "charge_category": "Usage", "tags": json.dumps(more.pop("tags", {})), "currency": "USD",
        "billed_cost": Decimal(cost), "effective_cost": Decimal(more.pop("effective", cost)), **more,
    }  # fmt: skip


TRAIN = {"tags": {"pool": "train"}}
NODE = {**TRAIN, "consumed_unit": "Hours", "gpus_per_unit": 8.0}
BILL = (
    # three hours over the end of October, 10 dollars and 8 GPU-hours each
    row("node", "10-31T23:00", "11-01T02:00", "30", consumed_quantity=Decimal(3), **NODE),
    # a tax with the tag of the pool: 1 dollar an hour, shared like the GPUs of its own hours
    row("tax", "10-31T23:00", "11-01T02:00", "3", charge_category="Tax", **TRAIN),
    # September corrected in October's bill
    row("corrected", "09-15T10:00", "09-15T11:00", "-7", charge_class="Correction", period=date(2026, 10, 1), **NODE),
    row("refund", "11-01T00:00", "11-02T00:00", "-4", charge_category="Adjustment"),
    row("abroad", "11-01T00:00", "11-01T01:00", "12", currency="EUR", tags={"serves": "chat"}),
    row("bought", "11-01T00:00", "11-03T00:00", "50", effective="0", charge_category="Purchase",
        commitment_discount_id="r"),
    row("used", "11-01T05:00", "11-01T06:00", "0", effective="30", commitment_discount_id="r",
        commitment_discount_status="Used", consumed_quantity=Decimal(1), **NODE),
    row("unused", "11-01T06:00", "11-01T07:00", "0", effective="20", commitment_discount_id="r",
        commitment_discount_status="Unused", **TRAIN),
    row("free", "11-01T00:00", "11-01T01:00", "0", service_name="Free tier"),
    row("tomorrow", "11-03T00:00", "11-03T01:00", "99"),
)  # fmt: skip


def run(name: str, pool: str, start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"file_sha256": "l", "location": name, "source": "logs", "run_id": name, "is_job": False, "hosts": [],
            "project": pool,
            "started_at": at(start), "ended_at": at(end), "end_source": "logged", "status": "finished",
            "gpu_count": 8.0, **more}  # fmt: skip


RUNS = (
    run("long", "train", "10-31T23:30", "11-01T00:30", run_name="ember-1"),
    run("short", "train", "11-01T00:00", "11-01T00:30", run_name="spark-1", status="failed"),
    run("nameless", "own", "11-01T00:00", "11-02T00:00"),
    run("elsewhere", "nobill", "11-01T00:00", "11-01T01:00", run_name="ember-2"),
)
RULES = (
    ("tag:pool", "train", "pool", "train", None),
    ("tag:serves", "chat", "deployment", "chat", None),
    ("project", "train", "pool", "train", None),
    ("project", "own", "pool", "own", None),
    ("project", "nobill", "pool", "nobill", None),
    ("run_name", "ember-*", "model", "ember", "pretraining"),
    ("run_name", "spark-*", "model", "spark", "posttraining"),
)
TABLES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "charge_rows": BILL,
    "bill_deliveries": [
        {"source": "cloud", "billing_account_id": "", "billing_period_start": period, "file_sha256": "f",
         "is_current": True}
        for period in (date(2026, 10, 1), date(2026, 11, 1))
    ],
    "files": [
        {"source": "cloud", "file": "bill.csv", "sha256": "f", "first_seen_at": at("11-02"), "rounding_residual": 0}
    ],
    "run_rows": RUNS,
    "attribution": [
        {"position": number, "line": number + 2, "source": "*", "field": field, "pattern": pattern, "target": target,
         "target_id": target_id, "phase": phase}
        for number, (field, pattern, target, target_id, phase) in enumerate(RULES)
    ],
    # 16 owned GPUs at 2 dollars: 768 dollars a day from 1 November on
    "pools": [{"pool_id": "own", "gpu_model": "H100", "gpu_count": 16.0}],
    "rates": [{"pool_id": "own", "usd_per_gpu_hour": Decimal(2), "valid_from": date(2026, 11, 1)}],
    "deployments": [
        {"line": 2, "deployment_id": "chat", "model_id": "ember", "pool_id": "own", "gpu_count": 8.0,
         "valid_from": at("11-01"), "valid_to": at("11-02T12:00")}
    ],
    "settings": [{"as_of": date(2026, 11, 2), "night_end": at("11-03"), "currency": "USD"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def night() -> dict[str, pl.DataFrame]:
    frames = {name: rows(name, TABLES.get(name, ())) for name in CATALOGUE}
    for function in CHAIN:
        made = function(**{name: frames[name] for name in inspect.signature(function).parameters})
        CATALOGUE[function.__name__].validation().validate(made, lazy=True)
        frames[function.__name__] = made
    return frames


def rows(name: str, listed: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: one.get(column) for column in schema} for one in listed], schema=schema)


def test_every_account_is_the_one_worked_out_by_hand(night: dict[str, pl.DataFrame]) -> None:
    keys = ("currency", "account", "model_id", "phase", "run_id", "deployment_id", "pool_id")
    sums = night["postings"].group_by(keys).agg(pl.col("billed_cost", "effective_cost").sum())
    found = {found[:7]: tuple(f"{cost.normalize():f}" for cost in found[7:]) for found in sums.iter_rows()}

    assert found == {
        # node 23h: 4 of 8 GPU-hours = 5; 0h: 4 of 8 beside `short` = 5; tax 0.5 + 0.5
        ("USD", "direct", "ember", "pretraining", "long", None, "train"): ("11", "11"),
        # node 0h: 4 of 8 = 5; tax 0.5
        ("USD", "direct", "spark", "posttraining", "short", None, "train"): ("5.5", "5.5"),
        # node 23h 5 + 1h 10, tax 0.5 + 1, the correction −7 in an hour without use, the covered hour 0 / 30
        ("USD", "idle", None, None, None, None, "train"): ("9.5", "39.5"),
        ("USD", "commitment_unused", None, None, None, None, "train"): ("0", "20"),
        ("USD", "adjustment", None, None, None, None, None): ("-4", "-4"),
        # the purchase 50 / 0 and the free tier 0 / 0
        ("USD", "unallocated", None, None, None, None, None): ("50", "0"),
        ("EUR", "direct", "ember", "inference", None, "chat", None): ("12", "12"),
        # 1 November: 8 of 16 GPUs all day
        ("USD", "unallocated", None, None, "nameless", None, "own"): ("384", "384"),
        # 1 November 384; 2 November 8 of 16 GPUs for 12 of 24 hours = 192
        ("USD", "direct", "ember", "inference", None, "chat", "own"): ("576", "576"),
        ("USD", "idle", None, None, None, None, "own"): ("576", "576"),
    }


def test_dates_are_those_of_use_and_periods_those_of_the_bill(night: dict[str, pl.DataFrame]) -> None:
    train = night["postings"].filter(
        (pl.col("pool_id") == "train") & (pl.col("effective_cost") == pl.col("billed_cost"))
    )
    sums = train.group_by("charge_date", "billing_period_start").agg(pl.col("billed_cost").sum())

    assert dict(zip(sums.select("charge_date", "billing_period_start").rows(), sums["billed_cost"], strict=True)) == {
        (date(2026, 9, 15), date(2026, 10, 1)): Decimal(-7),
        (date(2026, 10, 31), date(2026, 10, 1)): Decimal(11),
        (date(2026, 11, 1), date(2026, 10, 1)): Decimal(22),
    }


def test_waste_and_unbilled_uses_are_told_apart(night: dict[str, pl.DataFrame]) -> None:
    wasted = night["postings"].filter("is_waste")
    unbilled = night["pool_uses"].filter(~pl.col("is_billed"))

    assert set(wasted["run_id"]) == {"short"}
    assert set(unbilled["user_id"]) == {"elsewhere"}


def test_the_rows_say_why_nothing_claimed_them(night: dict[str, pl.DataFrame]) -> None:
    reasons = night["postings"].filter(pl.col("account") == "unallocated")["rule"].unique().sort().to_list()

    assert reasons == [
        "no rule matches: service_name=, resource_id=, charge_description=",
        "no rule matches: service_name=Free tier, resource_id=, charge_description=",
        "run has no model rule",
    ]


def test_the_ledger_equals_the_bill_and_every_check_is_green(night: dict[str, pl.DataFrame]) -> None:
    for name, check in inspect.getmembers(checks, inspect.isfunction):
        if check.__module__ == checks.__name__ and not name.startswith("_"):
            assert check(**{table: night[table] for table in inspect.signature(check).parameters}).is_empty(), name
    assert night["reconciliation"]["is_reconciled"].all()
    assert (
        night["reconciliation"]
        .filter(pl.col("currency") == "EUR")["explanation"]
        .item()
        .endswith("FX: fx.csv has no rate for EUR in 2026-11")
    )


def test_the_commitment_is_used_and_unused_in_full(night: dict[str, pl.DataFrame]) -> None:
    assert night["commitments"].select("purchased_cost", "used_cost", "unused_cost", "is_balanced").rows() == [
        (Decimal(50), Decimal(30), Decimal(20), True)
    ]
