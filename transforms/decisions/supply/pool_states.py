"""How much of each pool was needed, and what the rest cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from transforms.decisions.dollars import in_cents
from transforms.money import amount, units
from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.columns import MONEY
from warehouse.schemas.decisions import PoolStates

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW_DAYS: Final = 28
_WEEK_HOURS: Final = 168
_GPU_HOUR: Final = 1000 * 3600 * 1_000_000  # thousandth GPU × microseconds
_BUSY: Final = 0.99
# Use wanders: its mean over a year varies as its level does after a third of it, so changes over that many weeks tell
# how far it may go. A shorter history shows shorter changes, which grow as those of a walk.
LEVEL_WEEKS: Final = 17
_HISTORY_WEEKS: Final = 52
_LEAST_WEEKS: Final = 3
_LEAST_SIGMA: Final = 0.05
_SHORT_SIGMA: Final = 0.50


def pool_states(
    settings: pl.DataFrame,
    pools: pl.DataFrame,
    billed_days: pl.DataFrame,
    pool_uses: pl.DataFrame,
    daily_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One pool over the last four weeks: its chip, its size, how much of it was used, and what the rest cost."""
    billed = _billed(billed_days, settings)
    rows = (
        _hours(pool_uses, settings)
        .join(_money(daily_spend, settings), on="pool_id", how="left")
        .join(_prices(billed), on="pool_id", how="left")
        .join(_chips(billed, pools), on="pool_id", how="left")
        .join(_renewals(billed_days, settings), on="pool_id", how="left")
        .with_columns(
            pl.col("idle_usd", "unused_usd", "committed_ratio").fill_null(0),
            as_of=pl.lit(settings.item(0, "as_of")),
        )
    )
    return PoolStates.frame(rows.sort("pool_id"))


def _recent(moment: str, settings: pl.DataFrame, days: int = WINDOW_DAYS) -> pl.Expr:
    end = settings.item(0, "night_end")
    return pl.col(moment).is_between(end - pl.duration(days=days), end, closed="left")


def _hours(pool_uses: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One pool: GPUs paid and used by the billed hours of four weeks, and how far its use may go."""
    weight, is_used = pl.col("weight"), pl.col("user_kind") != "idle"
    billed = pool_uses.filter(_recent("hour", settings, _HISTORY_WEEKS * 7), "is_billed")
    hourly = (
        billed.filter(_recent("hour", settings))
        .group_by("pool_id", "hour")
        .agg(paid=weight.sum(), used=weight.filter(is_used).sum())
        .with_columns(pl.col("paid", "used").cast(pl.Float64) / _GPU_HOUR)
        .sort("pool_id", "hour")
    )
    means = hourly.group_by("pool_id", maintain_order=True).agg(
        hours=pl.len(),
        billed_until=pl.col("hour").max().dt.date(),
        capacity_gpus=pl.col("paid").mean(),
        used_gpus=pl.col("used").mean(),
        busy_gpus=pl.col("used").quantile(_BUSY, "higher"),
    )
    spreads = means.select("pool_id").join(_spreads(billed, settings), on="pool_id", how="left")
    return means.join(spreads.with_columns(pl.col("use_sigma").fill_null(_SHORT_SIGMA)), on="pool_id")


def _spreads(billed: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One pool: how far its use may go, as if that of all its users went together.

    Each user by its own weeks after the one in which it came: that one came or went was decided, and says nothing of
    where those who stay will go.
    """
    users = _weekly(billed, settings).filter((pl.col("week") < WINDOW_DAYS // 7).any().over("pool_id", "user"))
    rows = [
        {"pool_id": pool_id, "sigma": use_sigma(weeks[1:]), "gpus": sum(weeks[-(WINDOW_DAYS // 7) :])}
        for pool_id, _, weeks in users.group_by("pool_id", "user", maintain_order=True).agg("used").iter_rows()
    ]
    schema = {"pool_id": pl.String(), "sigma": pl.Float64(), "gpus": pl.Float64()}
    weighted = (pl.col("sigma") * pl.col("gpus")).sum() / pl.col("gpus").sum()
    return pl.DataFrame(rows, schema=schema).group_by("pool_id", maintain_order=True).agg(use_sigma=weighted)


def _weekly(billed: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One user of one pool in one week, the oldest first: the GPUs it used in the mean hour; runs are one user."""
    week = ((settings.item(0, "night_end") - pl.col("hour")).dt.total_hours() - 1) // _WEEK_HOURS
    kind = pl.col("user_kind")
    user = pl.when(kind == "run").then(kind).otherwise(pl.format("{} {}", kind.cast(pl.String), "user_id"))
    dated = billed.with_columns(week=week, user=user)
    hours = dated.group_by("pool_id", "week").agg(hours=pl.col("hour").n_unique())
    used = dated.filter(kind != "idle").group_by("pool_id", "user", "week").agg(pl.col("weight").sum())
    return (
        used.filter(pl.col("weight") > 0)
        .join(hours, on=["pool_id", "week"])
        .with_columns(used=pl.col("weight").cast(pl.Float64) / _GPU_HOUR / pl.col("hours"))
        .sort("pool_id", "user", "week", descending=[False, False, True])
    )


def use_sigma(weeks: Sequence[float]) -> float:
    """Standard deviation of the logarithm of a user's use over the year ahead, from its weeks in their order."""
    if len(weeks) < _LEAST_WEEKS:
        return _SHORT_SIGMA
    lag, levels = min(LEVEL_WEEKS, len(weeks) // 2), np.log(np.asarray(weeks))
    changes = levels[lag:] - levels[:-lag]
    return max(float(np.sqrt((changes**2).mean() * LEVEL_WEEKS / lag)), _LEAST_SIGMA)


def _money(daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One pool: idle and unused cost of its last days, as a month."""
    end = settings.item(0, "as_of")
    days = daily_spend.filter(
        pl.col("pool_id").is_not_null(),
        pl.col("charge_date") <= end,
        pl.col("charge_date") > pl.lit(end) - pl.duration(days=WINDOW_DAYS),
    )
    seen = ((pl.lit(end) - pl.col("charge_date").min()).dt.total_days() + 1) / DAYS_PER_MONTH

    spent: dict[str, pl.Expr] = {
        name: pl.col("effective_usd").filter(pl.col("account") == account).sum().cast(pl.Float64)
        for name, account in (("idle_usd", "idle"), ("unused_usd", "commitment_unused"))
    }
    return days.group_by("pool_id").agg(in_cents(usd / seen).alias(name) for name, usd in spent.items())


def _billed(billed_days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Recent GPU charges of pools, added up by day."""
    last = pl.lit(settings.item(0, "as_of"))
    recent = pl.col("charge_day").is_between(last - pl.duration(days=WINDOW_DAYS - 1), last)
    return billed_days.filter("has_gpu_time", "is_pooled", recent)


def _prices(billed: pl.DataFrame) -> pl.DataFrame:
    hours, is_committed = units("gpu_hours"), pl.col("commitment_discount_id").is_not_null()
    return billed.group_by("pool_id").agg(
        usd_per_gpu_hour=_quotient(units("effective_cost").sum(), hours.sum()),
        on_demand_usd_per_gpu_hour=pl.when(pl.col("is_listed").any()).then(
            _quotient(units("list_cost").sum(), hours.filter("is_listed").sum())
        ),
        committed_ratio=_quotient(hours.filter(is_committed).sum(), hours.sum()),
    )


def _quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    return dividend.cast(pl.Float64) / divisor.cast(pl.Float64)


def _chips(billed: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """One pool: the chip that the company states, else that of most billed GPU time."""
    stated = pools.filter(pl.col("gpu_model").is_not_null()).select(
        "pool_id", "gpu_model", gpu_hours=pl.lit(None, MONEY)
    )
    counted = (
        billed.filter(pl.col("gpu_model").is_not_null())
        .group_by("pool_id", "gpu_model")
        .agg(units("gpu_hours").sum())
        .with_columns(amount("gpu_hours"))
    )
    both = pl.concat([stated, counted.select(stated.columns)])
    ordered = both.sort("pool_id", "gpu_hours", "gpu_model", descending=[False, True, False], nulls_last=False)
    return ordered.unique("pool_id", keep="first", maintain_order=True).select("pool_id", "gpu_model")


def _renewals(billed_days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One pool: the end of its last commitment purchase that is still running."""
    bought = billed_days.filter(
        pl.col("charge_category") == "Purchase",
        pl.col("commitment_discount_id").is_not_null(),
        pl.col("pool_id").is_not_null(),
        pl.col("last_end") > settings.item(0, "night_end"),
    )
    return bought.group_by("pool_id").agg(renews_on=pl.col("last_end").max().dt.date())
