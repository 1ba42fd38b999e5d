"""Charges become postings: cut in time, split among users of pools and models of deployments, losing no unit."""

from __future__ import annotations

import polars as pl

from transforms.ledger.capacities import gpu_time
from transforms.ledger.places import Places, places
from transforms.money import amount, split, units
from transforms.periods import Grain, cut
from warehouse.schemas.ledger import Postings

COSTS = ["billed_cost", "effective_cost"]
AMOUNTS = [*COSTS, "gpu_time"]
GPU_TIME_A_SECOND = 10**9
LINE = ["charge", "charge_date", "place"]


def postings(
    charges: pl.DataFrame,
    charge_rules: pl.DataFrame,
    pool_uses: pl.DataFrame,
    deployment_shares: pl.DataFrame,
    training_runs: pl.DataFrame,
) -> pl.DataFrame:
    """One part of one charge on one day in one account.

    Any subset of the charges gives exactly the subset of the postings, so a backfill may come month by month.
    """
    ruled = charges.join(charge_rules.select("charge_id", "method", "pool_id", "deployment_id", "rule"), on="charge_id")
    known = places(charge_rules, _direct_hours(ruled), pool_uses, deployment_shares, training_runs)
    dated = ruled.with_columns(pl.col("charge_start").dt.truncate("1mo").alias("month"))
    months = dated.sort("charge_id").partition_by("month", maintain_order=True)
    if not months:
        return Postings.empty()
    return pl.concat([_posted(month, known) for month in months]).sort("charge_id", "line")


def _direct_hours(ruled: pl.DataFrame) -> pl.DataFrame:
    """The hours of charges that a rule gives to a deployment."""
    direct = ruled.filter(pl.col("method") == "deployment").select("deployment_id", "charge_start", "charge_end")
    return cut(direct, "hour", start="charge_start", end="charge_end").select("deployment_id", hour="bucket").unique()


def _posted(charges: pl.DataFrame, known: Places) -> pl.DataFrame:
    numbered = charges.with_row_index("charge")
    lines = _merged(pl.concat([_whole(numbered, known), *_split(numbered, known)]))
    return _described(lines, numbered, known.known)


def _whole(charges: pl.DataFrame, known: Places) -> pl.DataFrame:
    """Lines of the charges that stay whole, day by day."""
    parts = _parts(charges.filter(pl.col("method") == "whole"), "day")
    return parts.join(known.charges, on="charge_id").select(*LINE, *AMOUNTS)


def _split(charges: pl.DataFrame, known: Places) -> list[pl.DataFrame]:
    """Lines of the charges that users of pools or models of deployments share, hour by hour."""
    pooled = _parts(charges.filter(pl.col("method") == "pool"), "hour")
    direct = _parts(charges.filter(pl.col("method") == "deployment"), "hour")
    used = _shared(pooled, known.uses, ["pool_id", "hour"])
    stints = pl.concat(
        [
            used.filter(pl.col("stint").is_not_null()).select("charge", "charge_date", "stint", *AMOUNTS),
            direct.join(known.stints.filter(pl.col("pool_id").is_null()), on=["deployment_id", "hour"]).select(
                "charge", "charge_date", "stint", *AMOUNTS
            ),
        ]
    )
    consumers = _shared(_shared(stints, known.models, ["stint"]), known.consumers, ["model_part"])
    return [used.filter(pl.col("place").is_not_null()).select(*LINE, *AMOUNTS), consumers.select(*LINE, *AMOUNTS)]


def _parts(charges: pl.DataFrame, grain: Grain) -> pl.DataFrame:
    """The charges cut in time, amounts as whole numbers."""
    spans = charges.select(
        "charge", "charge_id", "pool_id", "deployment_id", "charge_start", "charge_end",
        *(units(cost) for cost in COSTS), gpu_time("gpu_hours_exact").alias("gpu_time"),
    )  # fmt: skip
    buckets = cut(spans, grain, start="charge_start", end="charge_end").with_columns(
        pl.col("bucket").dt.date().alias("charge_date"), pl.col("bucket").alias("hour")
    )
    return split(buckets, group="charge", weight="microseconds", amounts=AMOUNTS)


def _shared(parts: pl.DataFrame, weights: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The parts split by the weights of their key, in the order of the weights."""
    joined = parts.with_row_index("part").join(weights, on=key, maintain_order="left_right")
    return split(joined, group="part", weight="weight", amounts=AMOUNTS).drop("part", "weight")


def _merged(lines: pl.DataFrame) -> pl.DataFrame:
    """One line per charge, day and place; lines of nothing go, but a charge keeps at least one."""
    sums = lines.group_by(LINE).agg(pl.col(AMOUNTS).sum()).sort(LINE)
    empty = pl.all_horizontal(pl.col(name) == 0 for name in AMOUNTS)
    filled = sums.filter(~empty)
    kept = sums.join(filled.select("charge").unique(), on="charge", how="anti").unique(
        "charge", keep="first", maintain_order=True
    )
    return pl.concat([filled, kept]).sort(LINE)


def _described(lines: pl.DataFrame, charges: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Lines with what their charge and their place say."""
    of_charge = charges.select(
        "charge", "charge_id", "source", "billing_period_start", "invoice_id", "currency", "known_at", "rule"
    )
    numbered = lines.with_columns(pl.int_range(1, pl.len() + 1).over("charge").alias("line"))
    rows = numbered.join(of_charge, on="charge").join(known, on="place")
    return Postings.frame(
        rows.with_columns(
            pl.concat_str("charge_id", "line", separator="-").alias("posting_id"),
            pl.coalesce("reason", "rule").alias("rule"),
            (pl.col("gpu_time") / GPU_TIME_A_SECOND).alias("gpu_seconds"),
            *(amount(cost) for cost in COSTS),
        )
    )
