"""Spend by day and by month: the ledger in the reporting currency, each table at the grain its readers need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from transforms.economics.conversion import converted
from transforms.economics.sums import gpu_time
from warehouse.schemas.economics import DailySpend, MonthlySpend

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY_KEY: Final = (
    "charge_date", "source", "currency", "account", "model_id", "phase", "pool_id", "is_waste", "is_restated",
)  # fmt: skip
_MONTH_KEY: Final = (
    "month", "account", "model_id", "phase", "pool_id", "run_id", "deployment_id", "team", "tenant", "task", "is_waste",
)  # fmt: skip


def daily_spend(booked_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One day of one source, currency, account, model, phase and pool.

    A row whose month has no rate keeps its cost in its own currency and has NULL in the reporting currency.
    """
    is_restated = pl.col("billing_period_start").dt.truncate("1mo") > pl.col("charge_date").dt.truncate("1mo")
    rows = converted(booked_days, fx, settings).with_columns(is_restated=is_restated)
    sums = [pl.col("billed_cost", "effective_cost").sum(), *_complete_sums("billed_usd", "effective_usd")]
    return DailySpend.frame(_summed(rows, _DAY_KEY, sums))


def monthly_spend(booked_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One month of one account by who spent it; rows without a rate count nothing here and stand in daily_spend."""
    rows = converted(booked_days, fx, settings).with_columns(month=pl.col("charge_date").dt.truncate("1mo"))
    return MonthlySpend.frame(_summed(rows, _MONTH_KEY, [pl.col("billed_usd", "effective_usd").sum()]))


def _summed(rows: pl.DataFrame, key: tuple[str, ...], sums: Iterable[pl.Expr]) -> pl.DataFrame:
    return rows.group_by(key).agg(gpu_time(), *sums).sort(key, nulls_last=True)


def _complete_sums(*columns: str) -> list[pl.Expr]:
    """Sums that are unknown where one of their terms is."""
    return [pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in columns]
