"""Charges become postings: cut in time, split among users of pools and models of deployments, losing no unit."""

from __future__ import annotations

import polars as pl

from transforms.ledger.allocation_targets import AllocationTargets, allocation_targets
from transforms.ledger.billed_hours import gpu_time
from transforms.ledger.pool_cost_split import AMOUNTS, COSTS, LINE, parts_in_time, shared_lines
from transforms.money import amount, divided, units
from warehouse.schemas.ledger import Postings

TARGET = ["method", "place", "pool_id", "deployment_id"]
LOT = [*TARGET, "charge_start", "charge_end", *AMOUNTS]
"""Charges equal in these have equal postings and are split once."""

HOURS_AT_ONCE = 100_000
GPU_TIME_A_SECOND = 10**9


def postings(
    charges: pl.DataFrame,
    charge_rules: pl.DataFrame,
    pool_uses: pl.DataFrame,
    deployment_shares: pl.DataFrame,
    training_runs: pl.DataFrame,
) -> pl.DataFrame:
    """One part of one charge on one day in one account.

    Any subset of the charges gives exactly its subset of the postings, so days of charges may come one by one.
    """
    if charges.is_empty():
        return Postings.empty()
    ruled = charges.join(charge_rules.drop("charge_day"), on="charge_id")
    uses = _in_time(pool_uses.filter("is_billed"), ruled)
    targets = allocation_targets(ruled, uses, _in_time(deployment_shares, ruled), training_runs)
    numbered = _weighed(ruled, targets).sort("charge_id").with_row_index("charge")
    lots = numbered.group_by(LOT).agg("charge").with_row_index("lot")
    lines = pl.concat([_merged(pl.concat([_whole(batch), *shared_lines(batch, targets)])) for batch in _batches(lots)])
    return _described(lines.join(lots.select("lot", "charge").explode("charge"), on="lot"), numbered, targets.targets)


def _in_time(hourly: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """The rows of the hours that the charges can touch."""
    first, last = charges["charge_start"].min(), charges["charge_end"].max()
    return hourly.filter(pl.col("hour").is_between(pl.lit(first).dt.truncate("1h"), pl.lit(last)))


def _weighed(ruled: pl.DataFrame, targets: AllocationTargets) -> pl.DataFrame:
    """The charges with the target of those that stay whole, amounts as whole numbers."""
    return ruled.join(targets.charges, on="charge_id", how="left").with_columns(
        *(units(cost) for cost in COSTS), gpu_time("gpu_hours_exact").alias("gpu_time")
    )


def _batches(lots: pl.DataFrame) -> list[pl.DataFrame]:
    """The lots in portions of so many hours that what they are split into fits into memory."""
    hours = (pl.col("charge_end") - pl.col("charge_start")).dt.total_hours() + 2
    portion = (hours.cum_sum() // HOURS_AT_ONCE).alias("portion")
    return lots.with_columns(portion).partition_by("portion", include_key=False)


def _whole(lots: pl.DataFrame) -> pl.DataFrame:
    """Lines of the charges that stay whole, day by day."""
    return parts_in_time(lots, "whole", "day").select(*LINE, *AMOUNTS)


def _merged(lines: pl.DataFrame) -> pl.DataFrame:
    """One numbered line per lot, day and target; lines of nothing go, but a lot keeps at least one."""
    sums = lines.group_by(LINE).agg(pl.col(AMOUNTS).sum()).sort(LINE)
    is_filled = pl.any_horizontal(pl.col(name) != 0 for name in AMOUNTS)
    is_first = pl.col("lot").is_first_distinct() & ~is_filled.any().over("lot")
    return sums.filter(is_filled | is_first).with_columns(pl.int_range(1, pl.len() + 1).over("lot").alias("line"))


def _described(lines: pl.DataFrame, charges: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Lines with what their charge and their target say."""
    of_charge = charges.select(
        "charge",
        "charge_id",
        "charge_day",
        "source",
        "billing_period_start",
        "invoice_id",
        "currency",
        "known_at",
        "rule",
    )
    rows = lines.join(of_charge, on="charge").join(targets, on="place").sort("charge", "line")
    return Postings.frame(
        rows.with_columns(
            pl.concat_str("charge_id", "line", separator="-").alias("posting_id"),
            pl.coalesce("reason", "rule").alias("rule"),
            divided(pl.col("gpu_time"), GPU_TIME_A_SECOND).alias("gpu_seconds"),
            *(amount(cost) for cost in COSTS),
        )
    )
