"""Which models, teams, tenants and tasks a deployment served in an hour, and with what weights."""

from __future__ import annotations

import polars as pl

from transforms.periods import MICROSECONDS
from warehouse.schemas.ledger import DeploymentShares

HOUR = ["deployment_id", "hour"]
MODEL = [*HOUR, "model_id"]
CONSUMER = ["team", "tenant", "task"]
BASES = ("tokens", "units", "duration", "equal")
"""What weights are made of: the first of these that does not sum to zero."""

MICRO = 10**6


def deployment_shares(
    deployments: pl.DataFrame,
    token_usage: pl.DataFrame,
    billed_hours: pl.DataFrame,
    pool_uses: pl.DataFrame,
) -> pl.DataFrame:
    """One model, team, tenant and task of one deployment in one billed hour; no model where none is valid."""
    served = _served(_hours(billed_hours, pool_uses), deployments)
    groups = served.join(_usage(token_usage), on=MODEL, how="left").with_columns(
        pl.col("tokens", "units", "duration").fill_null(0), pl.lit(1, dtype=pl.Int128).alias("equal")
    )
    models = groups.group_by(MODEL).agg(pl.col("tokens", "units", "duration").sum(), pl.col("equal").first())
    model_weights = _weighted(models, HOUR).select(*MODEL, "basis", model_weight="weight")
    rows = _weighted(groups, MODEL).drop("basis").join(model_weights, on=MODEL, nulls_equal=True)
    return DeploymentShares.frame(
        rows.with_columns(pl.col("weight", "model_weight").reinterpret(dtype=pl.Decimal(38, 0)))
    ).sort(*MODEL, *CONSUMER)


def _hours(billed_hours: pl.DataFrame, pool_uses: pl.DataFrame) -> pl.DataFrame:
    """The hours for which some charge needs the shares of a deployment."""
    is_billed = (pl.col("user_kind") == "deployment") & pl.col("is_billed")
    used = pool_uses.filter(is_billed).select("hour", deployment_id="user_id")
    direct = billed_hours.filter(pl.col("method") == "deployment").select("hour", deployment_id="target_id")
    return pl.concat([used, direct]).unique()


def _served(hours: pl.DataFrame, deployments: pl.DataFrame) -> pl.DataFrame:
    """The models that a deployment has a row for at some time within the hour; none is a row without a model."""
    end = pl.col("hour") + pl.duration(microseconds=MICROSECONDS["hour"])
    begins = pl.col("valid_from").is_null() | (pl.col("valid_from") < end)
    lasts = pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("hour"))
    is_something = (pl.col("valid_from") < pl.col("valid_to")).fill_null(value=True)
    valid = hours.join(deployments, on="deployment_id").filter(begins & lasts & is_something).select(MODEL).unique()
    return hours.join(valid, on=HOUR, how="left")


def _usage(token_usage: pl.DataFrame) -> pl.DataFrame:
    """What each team, tenant and task asked of a model of a deployment; pending requests cost nothing."""
    return (
        token_usage.filter(pl.col("status") != "pending")
        .group_by(*MODEL, *CONSUMER)
        .agg(
            pl.col("weighted_tokens_milli").cast(pl.Int128).sum().alias("tokens"),
            (pl.col("units") * MICRO).round().cast(pl.Int128).sum().alias("units"),
            pl.col("duration_us").cast(pl.Int128).sum().alias("duration"),
        )
    )


def _weighted(rows: pl.DataFrame, within: list[str]) -> pl.DataFrame:
    """`weight` and its `basis`: tokens, else units, else duration, else one each, decided by the sum `within`."""
    sums = rows.with_columns(pl.col(basis).sum().over(within).alias(f"{basis}_sum") for basis in BASES)
    chosen = pl.coalesce(pl.when(pl.col(f"{basis}_sum") > 0).then(pl.lit(basis)) for basis in BASES)
    weight = pl.coalesce(pl.when(pl.col("basis") == basis).then(pl.col(basis)) for basis in BASES)
    return sums.with_columns(chosen.alias("basis")).with_columns(weight.alias("weight"))
