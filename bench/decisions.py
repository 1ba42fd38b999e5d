"""Time to value every alternative of a large company: models × tasks × draws.

Run: python -m bench.decisions [models] [tasks] [draws]; the budget is 60 s on two cores for 500 × 20 × 2,000.
"""

from __future__ import annotations

import datetime as dt
import inspect
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from transforms.decisions.law.scaling_law import law_draws, scaling_law
from transforms.decisions.portfolio.candidates import candidates
from transforms.decisions.portfolio.cash_curves import cash_curves, recommended_totals
from transforms.decisions.portfolio.portfolio_selection import portfolio
from transforms.decisions.portfolio.recommendations import recommendations
from transforms.decisions.supply.gpu_demand import gpu_demand
from transforms.decisions.supply.pool_users import pool_users
from transforms.decisions.supply.supply import supply
from warehouse.schemas import CATALOGUE

NIGHT = dt.date(2026, 11, 21)


def table(name: str, rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as the table, NULL where nothing is said."""
    columns = CATALOGUE[name].columns()
    return pl.DataFrame(
        [{column: row.get(column) for column in columns} for row in rows],
        schema=CATALOGUE[name].polars_schema(),
        strict=False,
    )


def settings_row(draws: int) -> dict[str, Any]:
    """The settings of the night."""
    return {
        "as_of": NIGHT,
        "currency": "USD",
        "night_end": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
        "law": "epoch",
        "draws": draws,
        "materiality_usd": Decimal(1000),
        "evaluation_usd": Decimal(50000),
        "migration_usd": Decimal(20000),
        "dead_band_ratio": 0.1,
        "discount_ratio": 0.1,
        "quality_gate_ratio": 0.97,
    }


def position(name: str, size: float, daily_tokens: float) -> dict[str, Any]:
    """A model with two years ahead, priced by its size."""
    demand = {"daily_tokens": daily_tokens, "daily_tokens_trend": 0.0, "demand_sigma": 0.3, "demand_blocks": 6.5}
    life = {"remaining_months": 24.0, "life_basis": "retires_on", "demand_basis": "smoothing"}
    served = {"served_tokens": 1e12, "served_days": 300, "recent_tokens": 1e10}
    training = {"usd_per_training_flop": 3e-18, "training_price_basis": "its own pre-training"}
    chips = {"gpu_model": "H100", "gpu_count": 64.0, "concurrency": 200.0, "context_tokens": 2000.0}
    prices = {
        "used_usd_per_mtok": Decimal(str(round(size / 1e10, 6))),
        "allocated_usd_per_mtok": Decimal(str(round(size / 8e9, 6))),
        "price_sigma": 0.1,
        "price_months": 6,
        "monthly_inference_usd": Decimal(100000),
        "usd_per_gpu_hour": 2.5,
    }
    sizes = {"params": size, "active_params": size, "training_tokens": 20 * size, "unique_tokens": 1e13}
    thirds = {"projected_penalty_ratio": 0.3, "thirds_status": "inference_heavy"}
    named = {
        "as_of": NIGHT,
        "model_id": name,
        "origin": "own",
        "recent_requests": 1000,
        "served_daily_tokens": daily_tokens,
    }
    return named | sizes | served | demand | life | prices | training | chips | thirds


def company(models: int, tasks: int, draws: int) -> dict[str, pl.DataFrame]:
    """Models with two years ahead, each with so many tasks, every second of which a smaller model was measured on."""
    dice = np.random.default_rng(1)
    names = [f"m{number:04d}" for number in range(models)]
    sizes, demand = dice.lognormal(23, 1, models), dice.lognormal(20, 1, models)
    share = {"share_ratio": 1 / tasks, "share_sigma": 0.2 / tasks, "tokens": 1e9, "weeks": 4}
    labels = [f"t{task:02d}" for task in range(tasks)]
    quality = {
        "quality_metric": "accuracy",
        "better": "higher",
        "teacher_quality": 0.9,
        "student_quality": 0.89,
        "measured_on": NIGHT,
    }
    tables = {
        "settings": [settings_row(draws)],
        "positions": [position(*row) for row in zip(names, map(float, sizes), map(float, demand), strict=True)],
        "task_shares": [{"as_of": NIGHT, "model_id": name, "task": task} | share for name in names for task in labels],
        "deployments": [
            {"deployment_id": f"d-{name}", "model_id": name, "pool_id": f"p{place // 10:03d}", "gpu_count": 64.0}
            for place, name in enumerate(names)
        ],
        "billed_days": [
            {
                "charge_day": NIGHT - dt.timedelta(days=back),
                "charge_category": "Usage",
                "source": "bill",
                "currency": "USD",
                "pool_id": f"p{pool:03d}",
                "gpu_hours": Decimal(24 * 400),
                "effective_cost": Decimal(24 * 400 * 2),
                "commitment_discount_id": commitment,
            }
            for back in range(7)
            for pool in range(-(-models // 10))
            for commitment in (None, f"ri-{pool}")
        ],
        "workloads": [
            {"task": task, "student_model_id": names[place % models]} | quality
            for place, task in enumerate(labels)
            if place % 2 == 0
        ],
    }
    return {name: table(name, rows) for name, rows in tables.items()}


STEPS: Sequence[Callable[..., pl.DataFrame]] = (
    supply,
    pool_users,
    gpu_demand,
    candidates,
    portfolio,
    recommendations,
    cash_curves,
    recommended_totals,
)
EMPTY = (
    "models", "serving_states", "pool_states", "law_points", "past_law_draws", "commitment_terms", "assets", "fx",
    "pool_uses", "pools", "budgets",
)  # fmt: skip


def computed(tables: dict[str, pl.DataFrame], step: Callable[..., pl.DataFrame]) -> str:
    """The table of one step beside the others, and what it took of the wall's and of the processors' time."""
    wall, cpu = time.perf_counter(), time.process_time()
    tables[step.__name__] = step(**{name: tables[name] for name in inspect.signature(step).parameters})
    rows, wall, cpu = tables[step.__name__].height, time.perf_counter() - wall, time.process_time() - cpu
    return f"{step.__name__:20} {wall:6.1f} s, {cpu:6.1f} CPU s, {rows:7} rows"


def main() -> None:
    """Print the seconds of each table and the peak memory."""
    models, tasks, draws = (int(word) for word in (sys.argv[1:] or ["500", "20", "2000"]))
    tables = {name: CATALOGUE[name].empty() for name in EMPTY} | company(models, tasks, draws)
    for step in (law_draws, scaling_law):
        computed(tables, step)
    print(f"{models} models × {tasks} tasks × {draws} draws")
    for step in STEPS:
        print(computed(tables, step))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"all {usage.ru_utime + usage.ru_stime:.1f} CPU s, peak {usage.ru_maxrss / 1e6:.2f} GB")
    print(tables["recommendations"].group_by("action").len().sort("action"))


if __name__ == "__main__":
    main()
