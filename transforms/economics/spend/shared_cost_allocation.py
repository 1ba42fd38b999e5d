"""Who carries what is idle and shared: by GPU time in the pool, by direct cost in the company."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.exact_shares import shared_out
from transforms.economics.spend.rework import LOST
from transforms.economics.sums import gpu_time
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import CompanySpend, IdleShares, ModelSpend, SharedShares
from warehouse.vocabulary import IDLE_ACCOUNTS

_MONTH: Final = pl.col("charge_date").dt.truncate("1mo").alias("month")
_HOLDER: Final = ("model_id", "phase")
_IN_POOL: Final = ("month", "pool_id")
_MILLISECONDS: Final = 1000
_HAS_HOME: Final = pl.all_horizontal(pl.col(_HOLDER).is_not_null())
_NOTHING: Final = pl.lit(0, dtype=MONEY)


def idle_shares(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One month and pool: the part of its idle and unused cost that one model and phase, or nobody, carries.

    The key is the GPU time that each used of the pool in the month, in whole milliseconds; where the pool's charges
    carry no GPU time, direct cost in millionths. Users without a model take part, and their share stays with the
    company; so does all of it in a month in which nobody used the pool. The parts of a pool's month add up exactly.
    """
    pooled = daily_spend.filter(pl.col("pool_id").is_not_null()).with_columns(_MONTH, *_homes())
    uses = pooled.filter(pl.col("account").is_in(["direct", "unallocated"])).group_by(*_IN_POOL, *_HOLDER)
    costs = pooled.filter(pl.col("account").is_in(IDLE_ACCOUNTS)).group_by(_IN_POOL)
    idle = costs.agg(
        pl.col("effective_usd").filter(pl.col("account") == "idle").sum().alias("idle_usd"),
        pl.col("effective_usd").filter(pl.col("account") == "commitment_unused").sum().alias("unused_usd"),
    )
    users = uses.agg(gpu_time(), pl.col("effective_usd").sum())
    parts = _weighted(idle.join(users, on=_IN_POOL, how="left"))
    shares = shared_out(parts, group=_IN_POOL, order=_HOLDER, amounts=("idle_usd", "unused_usd"))
    return IdleShares.frame(shares.sort(*_IN_POOL, *_HOLDER, nulls_last=True))


def _homes() -> list[pl.Expr]:
    """Model and phase where both are known: half a home is none."""
    return [pl.when(_HAS_HOME).then(pl.col(name)).alias(name) for name in _HOLDER]


def _weighted(parts: pl.DataFrame) -> pl.DataFrame:
    """Adds the key of the split and its basis; one row per pool is left where nobody used it."""
    time = (pl.col("gpu_seconds").fill_null(0) * _MILLISECONDS).round().cast(pl.Int128)
    keys = parts.with_columns(time=time, money=_millionths("effective_usd"))
    is_timed = pl.col("time").sum().over(_IN_POOL) > 0
    is_paid = pl.col("money").sum().over(_IN_POOL) > 0
    basis = (
        pl.when(is_timed)
        .then(pl.lit("gpu_seconds"))
        .when(is_paid)
        .then(pl.lit("direct_usd"))
        .otherwise(pl.lit("nobody"))
    )
    chosen = keys.with_columns(basis=basis, gpu_seconds=pl.col("gpu_seconds").fill_null(0))
    unused = chosen.filter(pl.col("basis") == "nobody").unique(_IN_POOL, keep="any").with_columns(
        pl.lit(None, dtype=pl.String).alias("model_id"), pl.lit(None, dtype=pl.String).alias("phase"),
        pl.lit(0.0).alias("gpu_seconds"), pl.lit(1, dtype=pl.Int128).alias("weight"),
    )  # fmt: skip
    weight = pl.when(pl.col("basis") == "gpu_seconds").then(pl.col("time")).otherwise(pl.col("money"))
    return pl.concat([chosen.filter(pl.col("basis") != "nobody").with_columns(weight=weight), unused])


def shared_shares(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One month: the part of the shared cost that one model and phase, or nobody, carries.

    The key is the direct effective cost of the month in millionths; a model in credit carries nothing. In a month
    without direct cost the shared cost stays with the company. The parts of a month add up to it exactly.
    """
    rows = daily_spend.with_columns(_MONTH, *_homes())
    shared = rows.filter(pl.col("account") == "shared").group_by("month").agg(shared_usd=pl.col("effective_usd").sum())
    direct = rows.filter(pl.col("account") == "direct").group_by("month", *_HOLDER)
    keys = direct.agg(direct_usd=pl.col("effective_usd").sum()).with_columns(weight=_millionths("direct_usd"))
    parts = shared.join(keys.filter(pl.col("weight") > 0), on="month", how="left").with_columns(
        weight=pl.col("weight").fill_null(1),
        direct_usd=pl.when(pl.col("direct_usd") > 0).then(pl.col("direct_usd")).otherwise(_NOTHING),
    )
    return SharedShares.frame(shared_out(parts, group=("month",), order=_HOLDER, amounts=("shared_usd",)))


def _millionths(column: str) -> pl.Expr:
    return (pl.col(column).to_physical() // 1_000_000).clip(0).fill_null(0)


def model_spend(
    daily_spend: pl.DataFrame, idle_shares: pl.DataFrame, shared_shares: pl.DataFrame, run_spend: pl.DataFrame
) -> pl.DataFrame:
    """One month of one model and phase: its own cost, and its parts of what is idle and shared.

    Waste are runs that failed, and of a run that was resumed or started over what it did again.
    """
    direct = daily_spend.filter(pl.col("account") == "direct").select(
        _MONTH, *_HOLDER, "gpu_seconds", direct_usd="effective_usd",
        waste_usd=pl.when("is_waste").then(pl.col("effective_usd")),
    )  # fmt: skip
    lost = run_spend.filter(pl.col("cause").is_in(LOST)).select("month", *_HOLDER, waste_usd="wasted_usd")
    idle = idle_shares.select("month", *_HOLDER, idle_share_usd=pl.col("idle_usd") + pl.col("unused_usd"))
    shared = shared_shares.select("month", *_HOLDER, shared_share_usd="shared_usd")
    parts = pl.concat([direct, lost, idle, shared], how="diagonal").filter(_HAS_HOME)
    key = ("month", *_HOLDER)
    sums = parts.group_by(key).agg(
        pl.col("direct_usd", "waste_usd", "idle_share_usd", "shared_share_usd").sum(),
        gpu_time(),
    )
    return ModelSpend.frame(sums.sort(key))


def company_spend(daily_spend: pl.DataFrame, idle_shares: pl.DataFrame, shared_shares: pl.DataFrame) -> pl.DataFrame:
    """One month, account and pool of what no model carries; together with model_spend it is the ledger, exactly."""
    attributable = ["direct", *IDLE_ACCOUNTS, "shared"]
    whole = daily_spend.filter(~_is_model_cost(attributable)).select(_MONTH, "account", "pool_id", "effective_usd")
    orphans = idle_shares.filter(pl.col("model_id").is_null())
    idle = orphans.select("month", pl.lit("idle").alias("account"), "pool_id", effective_usd="idle_usd")
    unused = orphans.select(
        "month", pl.lit("commitment_unused").alias("account"), "pool_id", effective_usd="unused_usd"
    )
    nobody = shared_shares.filter(pl.col("model_id").is_null())
    shared = nobody.select("month", pl.lit("shared").alias("account"), effective_usd="shared_usd")
    key = ("month", "account", "pool_id")
    sums = pl.concat([whole, idle, unused, shared], how="diagonal").group_by(key).agg(pl.col("effective_usd").sum())
    return CompanySpend.frame(sums.filter(pl.col("effective_usd") != 0).sort(key, nulls_last=True))


def _is_model_cost(accounts: list[str]) -> pl.Expr:
    """Rows that the shares have taken over: direct cost with a home, idle with a pool, all that is shared."""
    needs = (
        pl.when(pl.col("account") == "direct")
        .then(_HAS_HOME)
        .when(pl.col("account") == "shared")
        .then(pl.lit(value=True))
    )
    return pl.col("account").is_in(accounts) & needs.otherwise(pl.col("pool_id").is_not_null())
