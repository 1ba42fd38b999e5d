"""How long the economics take: 3 years × 500 models × 50 teams, in one process.

    python bench/economics.py [--years 3] [--models 500] [--teams 50]

The ledger is invented: every model costs something every day, for one of its teams; pools have idle time, months shared
cost, some charges come in euros. Prints rows, seconds and the resident memory after each table, and fails beyond 60 s
or 2 GB.
"""

from __future__ import annotations

import argparse
import inspect
import resource
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl

from transforms.economics import checks
from transforms.economics.amortization.amortization import amortization, estimate_changes
from transforms.economics.amortization.model_lives import expected_service, model_lives
from transforms.economics.amortization.training_assets import training_assets
from transforms.economics.forecast.demand_forecast import demand_forecast, parity
from transforms.economics.forecast.demand_paths import demand_paths
from transforms.economics.forecast.demand_states import demand_states, estimate_days
from transforms.economics.forecast.spend_outlook import spend_outlook
from transforms.economics.forecast.task_demand import task_demand
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend
from transforms.economics.spend.lifecycle_spend import lifecycle_spend
from transforms.economics.spend.lineage_shares import lineage_shares
from transforms.economics.spend.model_thirds import thirds
from transforms.economics.spend.phase_compute import phase_compute
from transforms.economics.spend.service import daily_service, production_units, served_days, task_days
from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares
from transforms.economics.spend.waste import goodput, run_spend, waste
from transforms.economics.unit_costs.token_kind_costs import token_costs
from transforms.economics.unit_costs.unit_costs import unit_costs
from transforms.economics.variance.budget_variances import budget_variances
from transforms.economics.variance.variance_bridge import variance_bridge
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 11, 21)
POOLS, TASKS = 40, 20
MOST_SECONDS, MOST_MEGABYTES = 60, 2048
FLOW: tuple[Callable[..., pl.DataFrame], ...] = (
    daily_spend, monthly_spend, idle_shares, shared_shares, run_spend, model_spend, company_spend, served_days,
    task_days, production_units, daily_service, lineage_shares,
    phase_compute, lifecycle_spend, estimate_days, demand_states, demand_paths, model_lives, expected_service, thirds,
    training_assets, amortization,
    estimate_changes, parity, unit_costs, token_costs, waste, goodput, budget_variances, variance_bridge,
    demand_forecast, task_demand, spend_outlook,
)  # fmt: skip
CHECKS: tuple[Callable[..., pl.DataFrame], ...] = (
    checks.unconverted_spend, checks.days_off_the_ledger, checks.spend_off_the_ledger, checks.months_off_the_days,
    checks.torn_lineage, checks.open_roll_forwards, checks.assets_off_the_training, checks.shares_off_one,
    checks.open_bridges,
)  # fmt: skip


def typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as the table, what is missing blank."""
    columns = CATALOGUE[table].columns()
    missing = [
        pl.lit(0 if column.dtype.is_numeric() else "").cast(column.dtype).alias(name)
        for name, column in columns.items()
        if name not in frame.columns
        and not column.is_nullable
        and (column.dtype.is_numeric() or column.dtype == pl.String)
    ]
    return CATALOGUE[table].frame(frame.with_columns(missing))


def booked_days(days: int, models: int, teams: int, generator: np.random.Generator) -> pl.DataFrame:
    """One direct line of every model and day, and one idle line of every pool and day."""
    count = days * models
    model, back = np.tile(np.arange(models), days), np.repeat(np.arange(days), models)
    phase = np.where(back > days - 200 - model % 300, model % 2, 2)
    direct = pl.DataFrame(
        {
            "back": back, "number": model, "pool": model % POOLS, "team": (model * 7 + back) % teams,
            "phase": pl.Series(phase).replace_strict({0: "pretraining", 1: "posttraining", 2: "inference"}),
            "effective": generator.integers(1, 10**9, count), "gpu_seconds": generator.random(count) * 1e5,
        }
    ).with_columns(
        pl.format("model-{}", "number").alias("model_id"), pl.format("team-{}", "team").alias("team"),
        account=pl.lit("direct"),
        run_id=pl.when(pl.col("phase") != "inference").then(pl.format("run-{}-{}", "number", pl.col("back") // 30)),
        is_waste=(pl.col("phase") != "inference") & (pl.col("back") // 30 % 5 == 0),
        currency=pl.when(pl.col("number") % 10 == 0).then(pl.lit("EUR")).otherwise(pl.lit("USD")),
    )  # fmt: skip
    pools = pl.DataFrame({"back": np.repeat(np.arange(days), POOLS), "pool": np.tile(np.arange(POOLS), days)})
    idle = pools.with_columns(
        pl.Series("effective", generator.integers(1, 10**9, len(pools))), pl.lit(1000.0).alias("gpu_seconds"),
        pl.lit("USD").alias("currency"), pl.lit(value=False).alias("is_waste"), pl.lit("idle").alias("account"),
    )  # fmt: skip
    rows = pl.concat([direct.drop("number"), idle], how="diagonal")
    cost = (pl.col("effective").cast(pl.Int128) * 10**6).reinterpret(dtype=pl.Decimal(38, 12))
    day = pl.lit(NIGHT) - pl.duration(days="back")
    return typed(
        "booked_days",
        rows.with_columns(
            pl.format("pool-{}", "pool").alias("pool_id"), charge_date=day, billing_period_start=day.dt.truncate("1mo"),
            billed_cost=cost, effective_cost=cost, source=pl.lit("cloud"), charge_day=day,
        ),
    )  # fmt: skip


def company(days: int, models: int, teams: int) -> dict[str, pl.DataFrame]:
    """Everything that the economics read."""
    generator = np.random.default_rng(1)
    numbers = pl.DataFrame({"number": np.arange(models)})
    names = numbers.select(pl.format("model-{}", "number").alias("model_id"), "number")
    base = pl.when(pl.col("number") % 4 > 0).then(pl.format("model-{}", pl.col("number") // 4 * 4))
    known = names.with_columns(
        aliases=pl.lit([], dtype=pl.List(pl.String)), family=pl.format("family-{}", pl.col("number") // 4),
        base_model_id=base, origin=pl.lit("own"), params=pl.lit(7e9), released_on=pl.lit(NIGHT - timedelta(days=days)),
        retires_on=pl.lit(NIGHT + timedelta(days=200)),
    )  # fmt: skip
    ledger = booked_days(days, models, teams, generator)
    served = ledger.filter(pl.col("phase") == "inference").select(
        "model_id", "team", task=pl.col("charge_date").dt.ordinal_day() % TASKS, day="charge_date"
    )
    hour = pl.col("day").cast(pl.Datetime("us", "UTC")).alias("hour")
    usage = served.with_columns(
        hour, hour.alias("part_start"), pl.lit("ok").alias("status"), pl.lit(1).alias("requests"),
        pl.format("task-{}", "task").alias("task"),
        pl.Series("input_tokens", generator.integers(10**6, 10**9, len(served))), source=pl.lit("gateway"),
        deployment_id=pl.col("model_id"), output_tokens=pl.lit(10**6),
    )  # fmt: skip
    runs = ledger.filter(pl.col("run_id").is_not_null()).unique("run_id").select("run_id", "model_id", "phase")
    months = pl.DataFrame({"month": pl.date_range(date(2015, 1, 1), NIGHT, "1mo", eager=True)})
    night = {"as_of": NIGHT, "currency": "USD", "dead_band_ratio": 0.1, "law": "epoch"}
    weights = {"pretraining_weight": 1.0, "posttraining_weight": 1.0, "inference_weight": 1.0}
    return {
        "settings": pl.DataFrame([night | weights]),
        "booked_days": ledger,
        "models": typed("models", known),
        "fx": typed("fx", months.with_columns(currency=pl.lit("EUR"), rate=pl.lit("1.0837").cast(pl.Decimal(38, 12)))),
        "token_usage": typed("token_usage", usage),
        "training_runs": typed(
            "training_runs",
            runs.with_columns(
                hosts=pl.lit([], dtype=pl.List(pl.String)), status=pl.lit("finished"), tokens=pl.lit(1e9)
            ),
        ),
        "lives": typed("lives", pl.DataFrame({"model_id": ["*"], "method": ["units_of_production"], "months": [24.0]})),
    }


def main() -> int:
    """Computes every table once and says what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("years", 3), ("models", 500), ("teams", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args()
    tables = company(wanted.years * 365, wanted.models, wanted.teams)
    print(f"{tables['booked_days'].height} booked lines, {tables['token_usage'].height} rows of usage")
    begun = time.perf_counter()
    for function in (*FLOW, *CHECKS):
        started = time.perf_counter()
        names = inspect.signature(function).parameters
        found = function(**{name: tables.get(name, CATALOGUE[name].empty()) for name in names})
        if function in FLOW:
            tables[function.__name__] = found
        elif found.height:
            print(f"{function.__name__}: {found.height} offending rows")
            return 1
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{function.__name__:24} {found.height:9} rows {time.perf_counter() - started:7.2f} s {resident:6} MB")
    seconds, megabytes = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{seconds:.1f} s, {megabytes} MB at most")
    return int(seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
