"""What must come out of the sample: its plan's own answer, worked out hour by hour, without a file written from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from warehouse.sample.company import TOKEN_WEIGHTS, Company, Line, Supply
from warehouse.sample.demand import demand
from warehouse.sample.hours import Calendar, Hourly

WASTED = ("failed", "cancelled", "timeout")
DIMENSIONS = ("account", "model_id", "phase", "pool_id", "is_waste")
AMOUNTS = ("billed_usd", "effective_usd", "gpu_hours")

Row = tuple[str, str | None, str | None, str | None, bool, Hourly, Hourly, Hourly]


@dataclass(frozen=True)
class Truth:
    """What a month costs by account, model, phase and pool in reporting currency, and what each model served."""

    spend: pl.DataFrame
    tokens: pl.DataFrame
    law: tuple[float, float, float, float, float]


@dataclass(frozen=True)
class _User:
    """One holder of a pool's GPUs: whose cost it is, and the GPU-hours it holds in each hour."""

    account: str
    model_id: str | None
    phase: str | None
    gpus: Hourly
    is_waste: bool = False


@dataclass(frozen=True)
class _Money:
    """What a pool costs and how many GPU-hours it has, by the hour."""

    billed: Hourly
    effective: Hourly
    capacity: Hourly


def truth(company: Company) -> Truth:
    """Spend and tokens of the whole plan."""
    calendar = Calendar(company)
    requests = demand(company)
    pools = sorted({supply.pool_id for supply in (*company.supplies, *company.owned)})
    rows = [
        *(row for pool_id in pools for row in _pool(company, calendar, requests, pool_id)),
        *_apart(company, calendar),
    ]
    return Truth(_summed(calendar, rows), _tokens(requests), company.law)


def _pool(company: Company, calendar: Calendar, requests: pl.DataFrame, pool_id: str) -> Iterator[Row]:
    """Each user's share of each hour, and what nobody used."""
    money = _money(company, calendar, pool_id)
    users = [*_runs(company, calendar, pool_id), *_served(company, calendar, requests, pool_id)]
    used = sum((user.gpus for user in users), np.zeros(calendar.count))
    idle = np.maximum(money.capacity - used, 0)
    idle = np.where(idle + used > 0, idle, 1.0)
    for user in [*users, _User("idle", None, None, idle)]:
        share = user.gpus / (idle + used)
        hours = share * money.capacity
        yield (
            user.account, user.model_id, user.phase, pool_id, user.is_waste,
            share * money.billed, share * money.effective, hours,
        )  # fmt: skip


def _money(company: Company, calendar: Calendar, pool_id: str) -> _Money:
    billed, effective, capacity = (np.zeros(calendar.count) for _ in range(3))
    for supply in (*company.supplies, *company.owned):
        if supply.pool_id == pool_id:
            gpus = supply.gpus * _bought(calendar, supply)
            usd = gpus * float(supply.rate) * _fx(company, calendar, supply.provider)
            capacity += gpus
            effective += usd
            billed += usd * (not supply.commitment)
    for line in company.lines:
        if line.pool_id == pool_id and line.account == "pool":
            billed += _spread(company, calendar, line, line.amount)
            effective += _spread(company, calendar, line, line.effective_amount())
    return _Money(billed, effective, capacity)


def _bought(calendar: Calendar, supply: Supply) -> Hourly:
    """1 in the hours the supply is bought for."""
    return np.asarray(sum((calendar.held(start, end) for start, end in supply.intervals()), np.zeros(calendar.count)))


def _spread(company: Company, calendar: Calendar, line: Line, amount: Decimal) -> Hourly:
    """An amount, once for each interval of the line, evenly over the interval, in reporting currency."""
    hours = np.zeros(calendar.count)
    for start, end in line.intervals():
        held = calendar.held(start, end)
        hours += held * float(amount) / held.sum()
    return np.asarray(hours * _fx(company, calendar, line.provider))


def _fx(company: Company, calendar: Calendar, provider: str) -> Hourly:
    """Reporting currency per unit of the provider's currency, by the month of the hour."""
    currency = next((each.currency for each in company.providers if each.name == provider), company.currency)
    rates = {month: float(company.rate_of(month, currency)) for month in set(calendar.months)}
    return np.array([rates[month] for month in calendar.months])


def _apart(company: Company, calendar: Calendar) -> Iterator[Row]:
    """Lines that no pool shares out."""
    for line in company.lines:
        if line.account != "pool":
            billed = _spread(company, calendar, line, line.amount)
            effective = _spread(company, calendar, line, line.effective_amount())
            yield line.account, None, None, line.pool_id or None, False, billed, effective, np.zeros(calendar.count)


def _runs(company: Company, calendar: Calendar, pool_id: str) -> Iterator[_User]:
    for run in company.runs:
        if run.pool_id == pool_id:
            held = run.gpus * calendar.held(run.start, run.end)
            account = "direct" if run.model_id else "unallocated"
            yield _User(account, run.model_id or None, run.phase, held, run.status in WASTED)


def _served(company: Company, calendar: Calendar, requests: pl.DataFrame, pool_id: str) -> Iterator[_User]:
    """Deployments, one user for each model; several models share by weighted tokens, evenly where nobody asked."""
    for deployment in (each for each in company.deployments if each.pool_id == pool_id):
        held = calendar.gpus(deployment)
        weights = [_weights(calendar, requests, deployment.deployment_id, model) for model in deployment.models]
        total = np.sum(weights, axis=0)
        for model_id, weight in zip(deployment.models, weights, strict=True):
            share = np.where(total > 0, weight / np.where(total > 0, total, 1), 1 / len(weights))
            yield _User("direct", model_id, "inference", held * share)


def _weights(calendar: Calendar, requests: pl.DataFrame, deployment_id: str, model_id: str) -> Hourly:
    asked = requests.filter(pl.col("deployment_id") == deployment_id, pl.col("model_id") == model_id)
    weighted = asked.group_by("hour").agg(
        (
            (pl.col("input_tokens") - pl.col("cached_input_tokens")) * TOKEN_WEIGHTS["input"]
            + pl.col("cached_input_tokens") * TOKEN_WEIGHTS["cached_input"]
            + pl.col("output_tokens") * TOKEN_WEIGHTS["output"]
        )
        .sum()
        .alias("weight")
    )
    by_hour = pl.DataFrame({"hour": calendar.hours}).join(weighted, on="hour", how="left", maintain_order="left")
    return by_hour["weight"].fill_null(0).to_numpy()


def _summed(calendar: Calendar, rows: list[Row]) -> pl.DataFrame:
    """Hours added up to months."""
    months = sorted(set(calendar.months))
    number = np.searchsorted(np.array(months), np.array(calendar.months))
    frames = [
        pl.DataFrame(
            {
                "month": months,
                **{name: [value] * len(months) for name, value in zip(DIMENSIONS, row[:5], strict=True)},
                **{name: np.bincount(number, hours, len(months)) for name, hours in zip(AMOUNTS, row[5:], strict=True)},
            },
            schema_overrides=dict.fromkeys(DIMENSIONS[:4], pl.String),
        )
        for row in rows
    ]
    return pl.concat(frames).group_by("month", *DIMENSIONS).agg(pl.col(AMOUNTS).sum()).sort("month", *DIMENSIONS)


def _tokens(requests: pl.DataFrame) -> pl.DataFrame:
    counts = ("requests", "input_tokens", "cached_input_tokens", "output_tokens", "units")
    return (
        requests.group_by(pl.col("hour").dt.date().dt.month_start().alias("month"), "model_id", "status")
        .agg(pl.col(counts).sum())
        .sort("month", "model_id", "status")
    )
