"""What each model and phase computed."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from transforms.compute import CHIPS
from transforms.economics.spend.phase_compute import phase_compute

NIGHT = date(2025, 5, 16)


def run(run_id: str, tokens: float | None, **given: Any) -> dict[str, Any]:
    known = {"model_id": "m", "phase": "pretraining", "status": "finished", "end_source": "logged"}
    return {"run_id": run_id, "tokens": tokens, **known, **given}


def compute(rows: Any, night: Any, model: dict[str, Any], **tables: pl.DataFrame) -> dict[str, dict[str, Any]]:
    frames = {name: rows(name) for name in ("training_runs", "daily_service", "model_spend")} | tables
    models = rows("models", {"model_id": "m", "origin": "own", **model})
    found = phase_compute(models, settings=night(NIGHT), **frames)
    return {row["phase"]: row for row in found.iter_rows(named=True)}


def test_training_takes_six_flop_per_active_parameter_and_token(rows: Any, night: Any) -> None:
    # 6 × 7e9 × 1e12 = 4.2e22; the active parameters count, not all of them
    runs = rows("training_runs", run("r", 1e12))
    phases = compute(rows, night, {"params": 5e10, "active_params": 7e9}, training_runs=runs)
    assert phases["pretraining"]["compute_flop"] == pytest.approx(4.2e22)
    assert phases["pretraining"]["tokens_basis"] == "runs"
    assert phases["inference"]["compute_flop"] is None


def test_serving_takes_two_flop_per_parameter_and_token(rows: Any, night: Any) -> None:
    # 2 × 7e9 × (800 + 200)
    service = rows("daily_service", {"day": NIGHT, "model_id": "m", "input_tokens": 800, "output_tokens": 200})
    assert compute(rows, night, {"params": 7e9}, daily_service=service)["inference"]["compute_flop"] == 1.4e13


def test_tokens_a_parent_logs_with_its_children_count_once(rows: Any, night: Any) -> None:
    runs = rows("training_runs", run("p", 100.0), run("c", 30.0, parent_run_id="p"), run("d", 20.0, parent_run_id="p"))
    phase = compute(rows, night, {"params": 1.0}, training_runs=runs)["pretraining"]
    assert (phase["tokens"], phase["runs"]) == (100.0, 3)


def test_an_unknown_size_leaves_the_flop_unknown_and_the_tokens_known(rows: Any, night: Any) -> None:
    phase = compute(rows, night, {}, training_runs=rows("training_runs", run("r", 5.0)))["pretraining"]
    assert (phase["tokens"], phase["compute_flop"]) == (5.0, None)


def test_stated_tokens_stand_in_without_a_price(rows: Any, night: Any) -> None:
    spend = rows("model_spend", {"model_id": "m", "phase": "pretraining", "direct_usd": 100})
    runs = rows("training_runs", run("r", None))
    phase = compute(rows, night, {"params": 1.0, "training_tokens": 50.0}, training_runs=runs, model_spend=spend)[
        "pretraining"
    ]
    assert (phase["tokens"], phase["tokens_basis"], phase["compute_flop"]) == (50.0, "models.csv", 300.0)
    assert (phase["usd_per_flop"], phase["runs_without_tokens"]) == (None, 1)


def test_nobody_states_the_training_tokens_of_an_adopted_base(rows: Any, night: Any) -> None:
    phases = compute(rows, night, {"origin": "adopted", "params": 1.0, "training_tokens": 50.0})
    assert phases["pretraining"]["tokens"] is None


def test_price_and_utilisation_come_from_the_same_run(rows: Any, night: Any) -> None:
    # 6 × 1e9 × 1e12 = 6e21 FLOP for $12,000: 2e-18 USD per FLOP; 1.2e7 H100-seconds at 989e12: 6e21 / 1.1868e22
    runs = rows("training_runs", run("r", 1e12, gpu_model="H100", gpu_seconds=1.2e7))
    spend = rows("model_spend", {"model_id": "m", "phase": "pretraining", "direct_usd": 12000})
    phase = compute(rows, night, {"params": 1e9}, training_runs=runs, model_spend=spend)["pretraining"]
    assert phase["usd_per_flop"] == pytest.approx(2e-18)
    assert phase["mfu_ratio"] == pytest.approx(0.50556, abs=1e-5)


def test_an_unknown_chip_has_no_utilisation(rows: Any, night: Any) -> None:
    runs = rows("training_runs", run("r", 1e12, gpu_model="Abacus 9", gpu_seconds=1e7))
    assert compute(rows, night, {"params": 1e9}, training_runs=runs)["pretraining"]["mfu_ratio"] is None


@pytest.mark.parametrize(
    ("chip", "ridge"), [("A100", 153), ("H100", 295), ("H200", 206), ("B200", 292), ("MI300X", 247)]
)
def test_the_ridge_of_each_chip_is_the_published_one(chip: str, ridge: int) -> None:
    assert round(CHIPS[chip].ridge_flop_per_byte) == ridge
