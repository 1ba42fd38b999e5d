"""What a token needs of GPUs is an average at the volume at which it was realised."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.supply.serving_price import step_seconds
from transforms.decisions.supply.substitute_price import is_within_reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Company

H100: Mapping[str, Any] = {
    "params": 32e9,
    "active_params": 32e9,
    "gpu_model": "H100",
    "gpu_count": 8.0,
    "usd_per_gpu_hour": 2.0,
}
LOADED: Mapping[str, Any] = {"concurrency": 16.0, "context_tokens": 0.0}


def retirement(company: Company, chip: str | None) -> dict[str, Any]:
    """The teacher's retirement onto one of its family that served 280 tokens in four weeks.

    Both are of 70B, on eight GPUs, with one request in flight.
    """
    company.rows["models"][1] = {**company.rows["models"][1], "params": 70e9, "family": "teacher"}
    company.serve("teacher", 1e9, 30).expect("teacher", 1e9, 365)
    tables = company.tables()
    idle = pl.col("model_id") == "student"
    given = {name: tables.get(name, company.table(name)) for name in inspect.signature(candidates).parameters}
    given["positions"] = tables["positions"].with_columns(
        gpu_model=pl.lit(chip, pl.String),
        gpu_count=pl.lit(8.0),
        concurrency=pl.lit(1.0),
        context_tokens=pl.lit(1000.0),
        recent_tokens=pl.when(idle).then(280.0).otherwise("recent_tokens"),
    )
    rows = candidates(**given).filter(pl.col("action") == "retire", pl.col("model_id") == "teacher")
    return rows.row(0, named=True)


def test_a_realised_price_holds_up_to_ten_times_its_volume() -> None:
    # 2,800 tokens in 28 days are 100 a day: a price for 1,000 a day and no more
    assert is_within_reach({"recent_tokens": 2800}, 1000)
    assert not is_within_reach({"recent_tokens": 2800}, 1001)


def test_a_step_takes_its_seconds_on_the_chip() -> None:
    # eight H100 hold four copies of 2 GPUs: 64 GB × 1.25 / 72 GB = 1.1, so 2; 16 requests are 4 a copy: memory-bound,
    # 32e9 × 2 bytes / (3.35e12 × 0.6) = 31.84 ms
    assert step_seconds({**H100, **LOADED}, H100) == pytest.approx(0.031841, rel=1e-4)


def test_half_the_size_on_the_same_chip_takes_half_as_long() -> None:
    half = {**H100, "params": 16e9, "active_params": 16e9}

    assert step_seconds({**H100, **LOADED}, half) == pytest.approx(step_seconds({**H100, **LOADED}, H100) / 2)


def test_traffic_far_beyond_what_a_host_serves_is_measured_by_hardware(company: Company) -> None:
    # the same size on the same chip needs the same GPUs there as here: nothing is gained, and the host's slack is none
    found = retirement(company, "H100")

    assert "step" in json.loads(found["assumptions"])["successor_gpus_basis"]
    assert abs(float(found["monthly_saving_if_passed_usd_p50"])) < 0.05 * 10_000 * 30.4375
    assert not found["is_eligible"]


def test_without_a_known_chip_nothing_is_said_of_the_gpus(company: Company) -> None:
    found = retirement(company, None)

    assert found["net_present_value_usd_mean"] is None
    assert "too few to tell what 1,000,000,000 need, and there is not known of teacher the chip" in found["reason"]


def test_a_nearly_idle_teacher_reads_at_the_price_of_training(company: Company) -> None:
    # 2 × 70e9 FLOP × 20 × 7e9 tokens × 2e-18 dollars = 39,200 dollars; at 50,000 a million it would be 7 billion.
    dear = dict.fromkeys(("used_usd_per_mtok", "allocated_usd_per_mtok"), Decimal(50000))
    company.rows["models"][0] = {**company.rows["models"][0], "training_tokens": 1.4e12}
    company.rows["unit_costs"][0] = {**company.rows["unit_costs"][0], **dear}
    company.add("phase_compute", model_id="teacher", phase="pretraining", compute_flop=6e23, usd_per_flop=2e-18)
    company.serve("teacher", 1e4, 30, "triage").expect("teacher", 1e4, 365)
    found = company.decide("candidates").filter(pl.col("action") == "distil").row(0, named=True)
    teaching = 2 * 70e9 * found["target_tokens"] * 2e-18

    assert json.loads(found["assumptions"])["teacher_logits_usd_p50"] == pytest.approx(teaching, rel=0.05)
