"""What other ways of sharing a pool would change: the same bill, shared anew, and the ranks of the models."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.ledger.alternative_keys import hourly_weights
from transforms.money import amount, split, units
from warehouse.schemas.ledger import SHARING_POLICIES, PolicySensitivity

POOL_DAY: Final = ("pool_id", "charge_date")
USER: Final = (*POOL_DAY, "user_kind", "user_id")
COST: Final = "effective_cost"
CELL: Final = ("policy", "currency", "model_id")


def policy_sensitivity(
    billed_days: pl.DataFrame,
    pool_uses: pl.DataFrame,
    training_runs: pl.DataFrame,
    booked_days: pl.DataFrame,
) -> pl.DataFrame:
    """One model's cost under one way of sharing pools, and its rank."""
    lines = _lines(booked_days)
    pooled = lines.filter(pl.col("user_kind").is_not_null())
    fixed = lines.filter(pl.col("user_kind").is_null()).select("currency", "model_id", COST)
    weights = _daily(hourly_weights(billed_days, pool_uses, training_runs))
    costs = [
        pl.concat([fixed, _shared(pooled, weights, policy)]).with_columns(pl.lit(policy).alias("policy"))
        for policy in SHARING_POLICIES
    ]
    return PolicySensitivity.frame(_ranked(pl.concat(costs))).sort(CELL)


def _lines(booked_days: pl.DataFrame) -> pl.DataFrame:
    """What each user of a pool pays on a day, model by model; lines without a user of a pool keep their cost."""
    user = pl.coalesce(
        pl.when(pl.col("run_id").is_not_null()).then(pl.lit("run")),
        pl.when(pl.col("deployment_id").is_not_null()).then(pl.lit("deployment")),
        pl.when(pl.col("account") == "idle").then(pl.lit("idle")),
    )
    return (
        booked_days.with_columns(
            pl.when(pl.col("pool_id").is_not_null()).then(user).alias("user_kind"),
            pl.coalesce("run_id", "deployment_id", pl.lit("")).alias("user_id"),
        )
        .group_by(*USER, "currency", "model_id")
        .agg(units(COST).sum())
    )


def _daily(hourly: pl.DataFrame) -> pl.DataFrame:
    """What each user weighs on a day; what workloads pay is taken as booked, because no posting names them."""
    dated = hourly.filter(pl.col("user_kind") != "workload").with_columns(pl.col("hour").dt.date().alias("charge_date"))
    return dated.group_by(USER).agg(pl.col(SHARING_POLICIES).sum())


def _shared(pooled: pl.DataFrame, weights: pl.DataFrame, policy: str) -> pl.DataFrame:
    """The cost of each pool and day, shared among its users by the policy and among their models as booked."""
    if policy == "booked":
        return pooled.select("currency", "model_id", COST)
    days = pooled.group_by(*POOL_DAY, "currency").agg(pl.col(COST).sum()).with_row_index("part")
    users = days.join(weights.select(*USER, weight=policy), on=POOL_DAY).sort("part", "user_kind", "user_id")
    paid = _split(users).with_row_index("user").drop("part", "weight")
    booked = pooled.select(*USER, "currency", "model_id", pl.col(COST).abs().alias("weight"))
    models = paid.join(booked, on=[*USER, "currency"], how="left", nulls_equal=True).with_columns(
        pl.col("weight").fill_null(1), pl.col("user").alias("part")
    )
    return _split(models.sort("part", "model_id")).select("currency", "model_id", COST)


def _split(rows: pl.DataFrame) -> pl.DataFrame:
    """The cost of each part by weight; alike where nothing weighs."""
    is_empty = pl.col("weight").sum().over("part") == 0
    filled = rows.with_columns(pl.when(is_empty).then(1).otherwise("weight").cast(pl.Int128).alias("weight"))
    return split(filled, group="part", weight="weight", amounts=[COST])


def _ranked(costs: pl.DataFrame) -> pl.DataFrame:
    sums = costs.drop_nulls("model_id").group_by(CELL).agg(pl.col(COST).sum())
    ranked = sums.sort("policy", "currency", COST, "model_id", descending=[False, False, True, False]).with_columns(
        pl.int_range(1, pl.len() + 1).over("policy", "currency").alias("rank"),
        (pl.col(COST) / pl.col(COST).sum().over("policy", "currency")).fill_nan(None).alias("share_ratio"),
    )
    booked = ranked.filter(pl.col("policy") == "booked").select("currency", "model_id", booked_rank="rank")
    return ranked.join(booked, on=["currency", "model_id"]).with_columns(amount(COST))
