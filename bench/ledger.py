"""How fast charges become postings: a made bill of node-hours through every table of the ledger.

Run `python bench/ledger.py [hours]`; 8,760 hours are the year of 17.5 million charges. Prints seconds, charges a
second and the peak memory of the process after each table, and the ratio to a plain grouped sum of the same rows.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_uses import pool_uses
from transforms.ledger.postings import postings
from warehouse.schemas.columns import INSTANT, MONEY
from warehouse.schemas.policy import Attribution, Deployments, Pools, Settings
from warehouse.schemas.staging import Charges, TokenUsage, TrainingRuns

NODES = 2_000
POOLS = 40
GPUS_A_NODE = 8
START = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = ("aurora", "ember")
TEAMS = ("search", "chat", "code")


def made_charges(hours: int) -> pl.DataFrame:
    """One charge per node and hour, prices that do not divide evenly."""
    count = NODES * hours
    node = np.tile(np.arange(NODES), hours)
    start = pl.Series(np.repeat(np.arange(hours), NODES) * 3_600_000_000 + int(START.timestamp()) * 10**6).cast(INSTANT)
    rows = pl.DataFrame({"node": node, "charge_start": start}).with_columns(
        (pl.lit(21_855_704_000_001) + pl.col("node") % 7).cast(pl.Int128).reinterpret(dtype=MONEY).alias("billed_cost"),
        pl.format('{{"pool":"pool-{}","env":"prod"}}', pl.col("node") % POOLS).alias("tags"),
    )
    return Charges.frame(
        rows.with_columns(
            pl.format("cloud-{}-1", pl.Series(np.arange(count))).alias("charge_id"),
            pl.lit("cloud").alias("source"),
            pl.col("charge_start").dt.month_start().dt.date().alias("billing_period_start"),
            pl.col("charge_start").dt.month_start().dt.offset_by("1mo").dt.date().alias("billing_period_end"),
            (pl.col("charge_start") + pl.duration(hours=1)).alias("charge_end"),
            pl.col("charge_start").dt.date().alias("charge_day"),
            pl.lit("Usage").alias("charge_category"),
            pl.lit("GPU Compute").alias("service_name"),
            pl.format("node-{}", "node").alias("resource_id"),
            pl.lit("USD").alias("currency"),
            pl.col("billed_cost").alias("effective_cost"),
            pl.lit(float(GPUS_A_NODE)).alias("gpu_hours"),
            pl.lit(Decimal(GPUS_A_NODE)).cast(MONEY).alias("gpu_hours_exact"),
            pl.col("charge_start").alias("known_at"),
        )
    )


def made_runs(hours: int) -> pl.DataFrame:
    """Runs of five and a half hours, one after the other in every pool, each on most of its GPUs."""
    length = timedelta(hours=5, minutes=30)
    count = int(timedelta(hours=hours) / length)
    rows = [
        {
            "run_id": f"run-{pool}-{number}",
            "source": "logs",
            "hosts": [],
            "end_source": "logged",
            "status": "failed" if number % 11 == 0 else "finished",
            "gpu_count": GPUS_A_NODE * NODES / POOLS * 0.7,
            "held_from": START + number * length,
            "held_to": START + (number + 1) * length - timedelta(minutes=7),
            "pool_id": f"pool-{pool}",
            "model_id": MODELS[number % 2],
            "phase": "pretraining",
        }
        for pool in range(POOLS)
        for number in range(count)
    ]
    return TrainingRuns.frame(pl.DataFrame(rows, schema_overrides=TrainingRuns.polars_schema()))


def made_policy() -> dict[str, pl.DataFrame]:
    """A rule per pool, and in every second pool a deployment that serves both models."""
    rules = [
        {"position": pool, "line": pool + 2, "priority": 100, "source": "*", "field": "tag:pool",
         "pattern": f"pool-{pool}", "target": "pool", "target_id": f"pool-{pool}"}
        for pool in range(POOLS)
    ]  # fmt: skip
    serving = [
        {"line": pool + 2, "deployment_id": f"chat-{pool}", "model_id": model, "pool_id": f"pool-{pool}",
         "gpu_count": 40.0, "valid_from": START}
        for pool in range(0, POOLS, 2) for model in MODELS
    ]  # fmt: skip
    return {
        "attribution": Attribution.frame(pl.DataFrame(rules, schema_overrides=Attribution.polars_schema())),
        "deployments": Deployments.frame(pl.DataFrame(serving, schema_overrides=Deployments.polars_schema())),
        "pools": Pools.empty(),
    }


def made_usage(hours: int) -> pl.DataFrame:
    """Every deployment serves both models to three teams in every hour."""
    count = hours * POOLS // 2
    hour = pl.DataFrame({"index": np.arange(count)}).select(
        (pl.lit(START) + pl.duration(hours=pl.col("index") % hours)).alias("hour"),
        pl.format("chat-{}", pl.col("index") // hours * 2).alias("deployment_id"),
        (pl.col("index") * 7919 % 100_003 + 1).alias("tokens"),
    )
    dimensions = pl.DataFrame({"model_id": MODELS}).join(pl.DataFrame({"team": TEAMS}), how="cross")
    zero = pl.lit(0)
    return TokenUsage.frame(
        hour.join(dimensions, how="cross").with_columns(
            pl.col("hour").alias("part_start"),
            pl.lit("gateway").alias("source"),
            pl.lit("ok").alias("status"),
            (pl.col("tokens") * 1000).alias("weighted_tokens_milli"),
            *(zero.alias(name) for name in ("requests", "requests_with_usage", "input_tokens", "cached_input_tokens",
              "output_tokens", "units", "duration_us", "duration_s_sum", "concurrency_mean")),
        )
    )  # fmt: skip


def made_settings(hours: int) -> pl.DataFrame:
    """Settings of the last night of the bill."""
    night = (START + timedelta(hours=hours)).date()
    row = dict.fromkeys(Settings.columns()) | {
        "as_of": night, "night_end": datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1),
    }  # fmt: skip
    return Settings.frame(pl.DataFrame([row], schema_overrides=Settings.polars_schema()))


def timed(name: str, count: int, made: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, float]:
    """Runs one table and prints what it took."""
    started = time.perf_counter()
    rows = made()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{name:<18} {rows.height:>11,} rows {seconds:8.2f} s {count / seconds:>12,.0f} charges/s  peak {peak:.2f} GiB"
    )
    return rows, seconds


def main(hours: int) -> None:
    """Builds the inputs, then times each table."""
    policy, settings, runs, usage = made_policy(), made_settings(hours), made_runs(hours), made_usage(hours)
    charges, _ = timed("made bill", NODES * hours, lambda: made_charges(hours))
    count = charges.height
    _, scan = timed(
        "grouped sum",
        count,
        lambda: charges.group_by("resource_id", "billing_period_start").agg(pl.col("billed_cost").sum()),
    )
    rules, spent = timed("charge_rules", count, lambda: charge_rules(charges, policy["attribution"]))
    hours_billed, more = timed("billed_hours", count, lambda: billed_hours(charges, rules))
    spent += more
    serving = policy["deployments"]
    uses, more = timed("pool_uses", count, lambda: pool_uses(hours_billed, runs, serving, policy["pools"], settings))
    spent += more
    shares, more = timed("deployment_shares", count, lambda: deployment_shares(serving, usage, hours_billed, uses))
    spent += more
    posted, more = timed("postings", count, lambda: postings(charges, rules, uses, shares, runs))
    spent += more
    lost = charges["billed_cost"].to_physical().sum() - posted["billed_cost"].to_physical().sum()
    print(f"ledger: {count / spent:,.0f} charges/s, {spent / scan:.0f} times a grouped sum, units lost: {lost}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 250)
