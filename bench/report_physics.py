"""What the invented company's models are to a law, and where its runs, batches and tasks stand; nothing is measured."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from bench.report_company import Company, Life, Rows, month_at, rows_of
from warehouse.schemas import CATALOGUE

DEMAND: Final = (129.0, None, 13.1, None, 16.2, 1.1, 175.0)
"""Demand over best tokens of the seven models, in their order."""
BATCHES: Final = (29.0, None, 31.5, 6.0, 0.5, None, 118.0)


def _known(company: Company) -> list[tuple[int, Life]]:
    return [(place, life) for place, life in enumerate(company.lives[: len(DEMAND)]) if company.has_bill]


def scaling_evidence(company: Company) -> pl.DataFrame:
    """Each own model of the seven, trained on thirty tokens a parameter."""
    return rows_of(CATALOGUE["scaling_evidence"], [
        {"as_of": company.night, "model_id": life.name, "law_id": "epoch", "params": life.params,
         "tokens": 30 * life.params, "tokens_per_param": 30.0, "optimal_params": life.params, "reducible_loss": 0.2,
         "optimal_tokens": 20 * life.params, "overtrain_ratio": 1.5, "loss": 2.0 - life.params / 1e12,
         "more_compute_flop": 1e22, "optimal_loss": 1.95, "tenfold_flop": 1800 * life.params**2,
         "tenfold_loss": 1.9 - life.params / 1e12, "tenfold_usd": Decimal(int(life.params / 1e4)),
         "is_extrapolated": False}
        for _, life in _known(company) if life.origin == "own"
    ])  # fmt: skip


def two_phase_balance(company: Company) -> pl.DataFrame:
    """The same models; the demand of one is not known, and two are far from where an equal split is the best."""
    rows: Rows = []
    for place, life in _known(company):
        demand = DEMAND[place]
        if life.origin == "own":
            rows.append({
                "as_of": company.night, "model_id": life.name, "law_id": "epoch", "params": life.params,
                "tokens": 30 * life.params, "loss": 2.0, "optimal_tokens": 20 * life.params, "demand_ratio": demand,
                "optimal_training_ratio": None if demand is None else 0.24, "equal_from_ratio": 3.6,
                "law_excess_ratio": None if demand is None else demand / 200, "equal_best_ratio": 9.3,
                "equal_to_ratio": 43.0, "is_extrapolated": life.params < 4e9,
                "optimum_tokens": None if demand is None else 5 * demand * life.params,
            })  # fmt: skip
    return rows_of(CATALOGUE["two_phase_balance"], rows)


def serving_regimes(company: Company) -> pl.DataFrame:
    """Each model of the seven that serves, on a deployment of its own; the last two share one."""
    shared = {life.name for _, life in _known(company)[-2:]}
    return rows_of(CATALOGUE["serving_regimes"], [
        {"as_of": company.night, "deployment_id": "edge" if life.name in shared else f"{life.name}-main",
         "model_id": life.name, "gpu_model": "H100", "gpu_count": 32.0, "batch_measured": BATCHES[place],
         "critical_batch": 295.2, "ridge_flop_per_byte": 295.2, "limited_by": "memory",
         "gpu_month_usd": Decimal(90_000), "small_batches_usd": Decimal(21_000 + 900 * place),
         "has_latency_limit": place == 0, "latency_premium_usd": Decimal(31_000) if place == 0 else None}
        for place, life in _known(company) if life.released is not None
    ])  # fmt: skip


def task_classes(company: Company) -> pl.DataFrame:
    """Four kinds of work of the first model, and one that nobody labelled."""
    facts = (
        ("Ticket triage", "defined", "movable_measured", 176_000), ("Review", "defined", "movable_unmeasured", 88_000),
        ("Search", "defined", "stays", 226_000), ("Chat", "open_ended", "stays", 40_000),
        (None, "open_ended", "stays", 755_000),
    )  # fmt: skip
    return rows_of(CATALOGUE["task_classes"], [
        {"as_of": company.night, "model_id": life.name, "task": task, "active_params": life.params,
         "monthly_inference_usd": Decimal(usd), "share_ratio": 0.2, "stationary_ratio": 0.9, "unlabelled_ratio": 0.5,
         "task_class": kind, "standing": standing}
        for _, life in _known(company)[:1] for task, kind, standing, usd in facts
    ])  # fmt: skip


def run_forecasts(company: Company) -> pl.DataFrame:
    """A fine-tuning run whose loss rises, and a sweep with too few losses."""
    runs: Rows = [
        {"run_id": "run-7", "kind": "sft", "progress_ratio": 0.41, "loss": 2.31, "final_loss_p10": 1.96,
         "final_loss_p90": 2.01, "best_past_loss": 1.993, "remaining_usd": Decimal(48_000), "verdict": "roll_back",
         "reason_code": "rising"},
        {"run_id": "run-8", "kind": "sweep", "verdict": "unknown", "reason_code": "too_few_losses"},
    ]  # fmt: skip
    rows = [
        run | {"as_of": company.night, "model_id": life.name, "planned_basis": "its configuration", "past_runs": 9}
        for _, life in _known(company)[:1]
        for run in runs
    ]
    return rows_of(CATALOGUE["run_forecasts"], rows)


def equal_quality_prices(company: Company) -> pl.DataFrame:
    """Thirteen months of the first model's quality, which gets cheaper by a fiftieth a month."""
    return rows_of(CATALOGUE["equal_quality_prices"], [
        {"month": month_at(place), "model_id": life.name, "serving_model_id": life.name,
         "used_usd_per_mtok": (Decimal(2) * (50 - place) / 50).quantize(Decimal("0.000001")),
         "first_month": month_at(2), "since_first_ratio": (50 - place) / 48, "yearly_change_ratio": -0.24}
        for _, life in _known(company)[:1] for place in range(2, 15)
    ])  # fmt: skip
