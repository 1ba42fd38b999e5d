"""Who used a pool in an hour, and how much: runs, deployments, workloads, and idle as what remains."""

from __future__ import annotations

import polars as pl

from transforms.ledger.billed_hours import gpu_time
from transforms.ledger.deployment_times import deployment_times
from transforms.money import split
from transforms.periods import MICROSECONDS, cut, is_open
from warehouse.schemas.ledger import PoolUses

HOUR = ["pool_id", "hour"]
USER = [*HOUR, "user_kind", "user_id"]


def pool_uses(
    billed_hours: pl.DataFrame,
    run_attempts: pl.DataFrame,
    workload_uses: pl.DataFrame,
    deployments: pl.DataFrame,
    pools: pl.DataFrame,
) -> pl.DataFrame:
    """One user of one pool in one hour with its weight; uses without a charge in the hour are not billed.

    The hours of any days, with the attempts and workloads that touch them, give at least the uses of these days.
    """
    capacity = pool_capacity(billed_hours, pools)
    uses = pl.concat(
        [_run_uses(run_attempts), _deployment_uses(deployments, capacity), _workload_uses(workload_uses)],
        how="diagonal",
    )
    used = (
        uses.group_by(USER)
        .agg(pl.col("weight").sum(), pl.col("model_id", "phase", "team").first())
        .join(capacity.select(*HOUR, pl.lit(value=True).alias("is_billed")), on=HOUR, how="left")
        .with_columns(pl.col("is_billed").fill_null(value=False))
    )
    rows = pl.concat([used, _idle(capacity, used)], how="diagonal")
    return PoolUses.frame(rows.with_columns(pl.col("weight").reinterpret(dtype=pl.Decimal(38, 0)))).sort(USER)


def pool_capacity(billed_hours: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """The GPU time of each billed pool-hour: that of policy.pools where it has a row for the date, else the bill's."""
    billed = (
        billed_hours.filter(pl.col("method") == "pool")
        .group_by("hour", pool_id="target_id")
        .agg(pl.col("gpu_time").to_physical().sum().alias("billed"))
    )
    stated = (
        billed.join(pools, on="pool_id")
        .filter(is_open(pl.col("hour").dt.date()))
        .group_by(HOUR)
        .agg((_thousandths("gpu_count") * MICROSECONDS["hour"]).sum().alias("stated"))
    )
    joined = billed.join(stated, on=HOUR, how="left")
    return joined.select(*HOUR, pl.coalesce("stated", "billed").alias("capacity"))


def _thousandths(gpu_count: str) -> pl.Expr:
    return (pl.col(gpu_count) * 1000 + 0.5).floor().cast(pl.Int128)


def _run_uses(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """Each run's GPUs over the times it held them, per hour; between two attempts it holds none."""
    holding = run_attempts.filter(pl.col("pool_id").is_not_null() & (pl.col("held_from") < pl.col("held_to")))
    return _uses(holding, kind="run", user="run_id", start="held_from", end="held_to")


def _deployment_uses(deployments: pl.DataFrame, capacity: pl.DataFrame) -> pl.DataFrame:
    """Each deployment's GPUs over the time it is valid, with or without traffic, per hour of the days with a bill."""
    times = deployment_times(deployments, capacity)
    uses = _uses(times, kind="deployment", user="deployment_id", start="valid_from", end="valid_to")
    return uses.filter(pl.col("hour").dt.date().is_in(capacity["hour"].dt.date().unique().implode()))


def _workload_uses(workload_uses: pl.DataFrame) -> pl.DataFrame:
    """The GPU time of each workload's windows, per hour in proportion of time, with what the first window is for."""
    holding = workload_uses.filter(pl.col("pool_id").is_not_null()).sort("started_at", "ended_at", "source")
    spans = holding.with_row_index("span").with_columns(gpu_time("gpu_hours").alias("weight"))
    hours = cut(spans, "hour", start="started_at", end="ended_at").rename({"bucket": "hour"})
    return split(hours, group="span", weight="microseconds", amounts=["weight"]).select(
        "pool_id",
        "hour",
        pl.lit("workload").alias("user_kind"),
        pl.col("workload").alias("user_id"),
        "weight",
        *(pl.col(name).first().over("pool_id", "hour", "workload") for name in ("model_id", "phase", "team")),
    )


def _uses(spans: pl.DataFrame, *, kind: str, user: str, start: str, end: str) -> pl.DataFrame:
    hours = cut(spans.select("pool_id", user, "gpu_count", start, end).drop_nulls(), "hour", start=start, end=end)
    return hours.select(
        "pool_id",
        pl.col("bucket").alias("hour"),
        pl.lit(kind).alias("user_kind"),
        pl.col(user).alias("user_id"),
        (_thousandths("gpu_count") * pl.col("microseconds")).alias("weight"),
    ).filter(pl.col("weight") > 0)


def _idle(capacity: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """What no one used of the billed hours; 1 where there is neither use nor capacity, so that the cost has a place."""
    sums = used.group_by(HOUR).agg(pl.col("weight").sum().alias("used"))
    rest = capacity.join(sums, on=HOUR, how="left").with_columns(pl.col("used").fill_null(0))
    nothing = (pl.col("capacity") == 0) & (pl.col("used") == 0)
    weight = pl.when(nothing).then(1).otherwise(pl.max_horizontal(pl.col("capacity") - pl.col("used"), 0))
    return rest.select(
        *HOUR,
        pl.lit("idle").alias("user_kind"),
        pl.lit("").alias("user_id"),
        weight.cast(pl.Int128).alias("weight"),
        pl.lit(value=True).alias("is_billed"),
    ).filter(pl.col("weight") > 0)
