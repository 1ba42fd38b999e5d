"""How fast charges become postings: a made bill of node-hours through every table of the ledger.

Run `python -m bench.ledger [hours [slice]]` from the root of the checkout; 8,760 hours are the year of 17.5 million
charges. Charges and postings are computed slice by slice, as a backfill does, so that memory depends on the slice and
not on the year. Prints seconds and charges a second for each table, the peak memory of the process, and the ratio to
a plain grouped sum of the same rows.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

from transforms.ledger.billed_hours import billed_hours
from transforms.ledger.charge_rules import charge_rules
from transforms.ledger.deployment_shares import deployment_shares
from transforms.ledger.pool_use_weights import pool_uses
from transforms.ledger.postings import postings
from warehouse.schemas.columns import INSTANT, MONEY
from warehouse.schemas.policy import Attribution, Deployments, Pools
from warehouse.schemas.staging import Charges, RunAttempts, TokenUsage, TrainingRuns, WorkloadUses

NODES = 2_000
POOLS = 40
GPUS_A_NODE = 8
START = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = ("aurora", "ember")
TEAMS = ("search", "chat", "code")


def made_charges(first: int, after: int) -> pl.DataFrame:
    """One charge per node and hour, prices that do not divide evenly."""
    hours = np.arange(first, after)
    node = np.tile(np.arange(NODES), len(hours))
    start = pl.Series(np.repeat(hours, NODES) * 3_600_000_000 + int(START.timestamp()) * 10**6).cast(INSTANT)
    rows = pl.DataFrame({"node": node, "charge_start": start}).with_columns(
        (pl.lit(21_855_704_000_001) + pl.col("node") % 7).cast(pl.Int128).reinterpret(dtype=MONEY).alias("billed_cost"),
        pl.format('{{"pool":"pool-{}","env":"prod"}}', pl.col("node") % POOLS).alias("tags"),
    )
    return Charges.frame(
        rows.with_columns(
            pl.format("cloud-{}-1", pl.Series(np.arange(first * NODES, after * NODES))).alias("charge_id"),
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
            "attempts": 1,
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


def made_attempts(runs: pl.DataFrame) -> pl.DataFrame:
    """Each run as the one attempt in which it held its GPUs."""
    return RunAttempts.frame(
        runs.with_columns(
            pl.lit(1).alias("attempt"),
            pl.col("run_id").alias("logged_run_id"),
            pl.lit(value=True).alias("is_leading"),
            pl.lit(value=False).alias("is_job"),
            pl.lit(0.0).alias("contested_gpu_seconds"),
        )
    )


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


class Clock:
    """Seconds spent in each table, and rows made."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()

    def run(self, made: Callable[..., pl.DataFrame], *arguments: pl.DataFrame) -> pl.DataFrame:
        """One table, timed under the name of its function."""
        started = time.perf_counter()
        rows = made(*arguments)
        self.seconds[made.__name__] += time.perf_counter() - started
        self.rows[made.__name__] += rows.height
        return rows


def grouped_sum(charges: pl.DataFrame) -> pl.DataFrame:
    """The plain scan that everything is compared with."""
    return charges.group_by("resource_id", "billing_period_start").agg(pl.col("billed_cost").sum())


def main(hours: int, slice_hours: int) -> None:
    """A backfill: rules and billed hours slice by slice, uses and shares once, postings slice by slice."""
    policy, runs, usage = made_policy(), made_runs(hours), made_usage(hours)
    rules, serving, clock = policy["attribution"], policy["deployments"], Clock()
    slices = [(first, min(first + slice_hours, hours)) for first in range(0, hours, slice_hours)]
    touched = [_touched(clock, made_charges(*span), rules) for span in slices]
    uses = clock.run(pool_uses, pl.concat(touched), made_attempts(runs), WorkloadUses.empty(), serving, policy["pools"])
    shares = clock.run(deployment_shares, serving, usage, pl.concat(touched), uses)
    lost = sum(_posted(clock, made_charges(*span), rules, uses, shares, runs) for span in slices)
    count, scan = NODES * hours, clock.seconds.pop("grouped_sum")
    for name, seconds in clock.seconds.items():
        print(f"{name:<18} {clock.rows[name]:>12,} rows {seconds:8.2f} s {count / seconds:>12,.0f} charges/s")
    total, peak = clock.seconds.total(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{count:,} charges: {count / total:,.0f} a second, {total / scan:.0f} times a grouped sum of {scan:.2f} s")
    print(f"peak {peak:.2f} GiB, units lost: {lost}")


def _touched(clock: Clock, charges: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    clock.run(grouped_sum, charges)
    return clock.run(billed_hours, charges, clock.run(charge_rules, charges, attribution))


def _posted(clock: Clock, charges: pl.DataFrame, attribution: pl.DataFrame, *rest: pl.DataFrame) -> int:
    lines = clock.run(postings, charges, charge_rules(charges, attribution), *rest)
    bill, ledger = (int(rows["billed_cost"].to_physical().sum()) for rows in (charges, lines))
    return bill - ledger


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(250, 24)[len(given) :])
