"""What users were promised is a constraint on every candidate, and has its price; and where a deployment's GPUs go."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from conftest import Company

NIGHT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def deployed(company: Company, *, requests_in_flight: float = 10.0, **limits: float) -> Company:
    """The large model on 64 H100 at 2 dollars, with hours of 3,600,000 tokens in and out in requests of 1,000 each."""
    company.rows["token_usage"] = [{**row, "task": "chat"} for row in company.rows["token_usage"]]
    company.add("deployments", deployment_id="d", model_id="large", pool_id="p", gpu_count=64.0, **limits)
    company.add("pools", pool_id="p", gpu_model="H100", gpu_count=64.0)
    company.add("daily_spend", account="direct", phase="inference", model_id="large", effective_usd=2, gpu_seconds=3600)
    company.rows["billed_days"] = []  # the pool pays, no charge names the model
    hours = {"gpu_hours": 64 * 24, "effective_cost": 64 * 24 * 2, "is_pooled": True, "has_gpu_time": True}
    for back in range(1, 15):
        day = NIGHT.date() - dt.timedelta(days=back)
        company.add("billed_days", charge_day=day, charge_category="Usage", pool_id="p", **hours)
    for back in range(1, 29):
        hour = NIGHT - dt.timedelta(hours=back)
        counts = {"input_tokens": 3_600_000, "output_tokens": 3_600_000, "requests": 3600, "status": "ok"}
        flight = {"concurrency_mean": requests_in_flight}
        company.add("token_usage", hour=hour, model_id="large", deployment_id="d", task="chat", **counts, **flight)
        used = {"user_kind": "deployment", "user_id": "d", "weight": 10**12, "is_billed": True}
        company.add("pool_uses", pool_id="p", hour=hour, **used)
    return company


def found(company: Company, action: str) -> list[dict[str, Any]]:
    """The alternatives of one kind, with their assumptions."""
    rows = company.decide("candidates").filter(pl.col("action") == action, pl.col("model_id") == "large").to_dicts()
    return [row | {"assumptions": json.loads(row["assumptions"])} for row in rows]


@pytest.mark.parametrize("action", ["retrain_smaller", "distil"])
def test_a_size_that_no_plan_serves_in_time_is_rejected_with_the_limit(outgrown: Company, action: str) -> None:
    # the weights alone of a size of 1B are 2 GB: over 8 × 3.35e12 × 0.6 bytes a second that is 0.12 ms and more
    candidates = found(deployed(outgrown, tpot_s_limit=0.0001), action)

    assert candidates
    assert not any(row["is_eligible"] for row in candidates)
    assert {row["reason_code"] for row in candidates} == {"too_slow"}
    assert all("a token within 0.0001 s" in row["reason"] for row in candidates)
    assert all("deployments.csv" in row["reason"] for row in candidates)


@pytest.mark.parametrize("action", ["retrain_smaller", "distil"])
def test_a_limit_that_can_be_kept_is_shown_with_its_premium(outgrown: Company, action: str) -> None:
    candidates = found(deployed(outgrown, tpot_s_limit=0.02, ttft_s_limit=1.0), action)

    assert all("no batch and width" not in row["reason"] for row in candidates)
    assert all(row["assumptions"]["latency_premium_usd_a_month"] >= 0 for row in candidates)
    assert all(row["assumptions"]["is_latency_planned"] for row in candidates)


def test_without_limits_no_premium_is_claimed(outgrown: Company) -> None:
    for row in found(deployed(outgrown), "retrain_smaller"):
        assert "latency_premium_usd_a_month" not in row["assumptions"]


def test_a_host_that_is_too_slow_for_the_users_takes_no_traffic(outgrown: Company) -> None:
    deployed(outgrown, ttft_s_limit=0.5)
    outgrown.add("models", model_id="other", params=70e9, family="a", origin="adopted")
    prices = dict.fromkeys(("used_usd_per_mtok", "allocated_usd_per_mtok"), 1)
    outgrown.add("unit_costs", month=dt.date(2026, 10, 1), model_id="other", input_tokens=10**9, **prices)
    outgrown.serve("other", 4e11, 30).expect("other", 4e11, 730)
    outgrown.add("deployments", deployment_id="o", model_id="other", pool_id="p", gpu_count=64.0)
    slow = {"requests": 10, "output_tokens": 100, "ttft_s_sum": 20.0, "duration_s_sum": 30.0, "status": "ok"}
    outgrown.add("token_usage", hour=NIGHT - dt.timedelta(hours=2), model_id="other", deployment_id="o", **slow)
    (row,) = found(outgrown, "retire")

    assert row["target_model_id"] == "other"
    assert row["reason"] == "other takes 2 s to a first token, over the limit of 0.5 s"
    assert row["reason_code"] == "too_slow"
    assert not row["is_eligible"]


def test_what_a_deployment_costs_is_useful_or_lost_and_nothing_else(outgrown: Company) -> None:
    (row,) = found(deployed(outgrown), "tune_serving")
    said = row["assumptions"]
    parts = [value for name, value in said.items() if name.startswith(("useful", "lost"))]

    assert len(parts) == 4
    assert all(part >= 0 for part in parts)
    # 64 GPUs × 2 dollars × 730.5 hours
    assert sum(parts) == pytest.approx(64 * 2 * 730.5, rel=1e-5)
    # 10 requests over 16 copies of 4 GPUs are less than one a copy, far from the 295 at which computing is the limit
    assert said["batch_measured"] < 1
    assert said["critical_batch"] == pytest.approx(295, abs=1)
    assert said["limited_by"] == "memory"
    assert said["lost_to_small_batches_usd_a_month"] > 0


def test_full_batches_lose_nothing_to_small_ones(outgrown: Company) -> None:
    (row,) = found(deployed(outgrown, requests_in_flight=16 * 300), "tune_serving")

    assert row["assumptions"]["lost_to_small_batches_usd_a_month"] == 0


def test_without_durations_the_batch_is_not_guessed(outgrown: Company) -> None:
    (row,) = found(deployed(outgrown, requests_in_flight=0.0), "tune_serving")

    assert "batch_measured" not in row["assumptions"]
    assert row["assumptions"]["lost_to_small_batches_usd_a_month"] == 0
