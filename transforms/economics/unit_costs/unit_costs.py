"""What a million tokens, or one unit, costs: used, with its share of what is idle and shared, and fully loaded."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.months import clipped, night_month
from transforms.economics.sums import gpu_time, whole
from transforms.economics.unit_costs.measured_activity import measured_activity
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import UnitCosts

_CELL: Final = ("month", "model_id")
_POOL: Final = ("month", "pool_id")
_COUNTS: Final = ("requests", "requests_with_usage", "input_tokens", "cached_input_tokens", "output_tokens")
_COSTS: Final = ("used_usd", "idle_share_usd", "shared_share_usd", "amortized_training_usd")
_MILLION: Final = 10**6


def unit_costs(
    daily_service: pl.DataFrame,
    model_spend: pl.DataFrame,
    amortization: pl.DataFrame,
    daily_spend: pl.DataFrame,
    gpu_activity: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One month of one model that served or whose serving cost something.

    A rate is NULL in a month without tokens (or units); the cost of such a month stays in its columns. Parts add up:
    allocated is used + idle share + shared share = active + inactive, fully loaded is allocated + amortised training.
    """
    night = night_month(settings)
    rows = (
        _served(daily_service)
        .join(_serving_cost(model_spend.with_columns(clipped(night))), on=_CELL, how="full", coalesce=True)
        .join(_amortized_training(amortization), on=_CELL, how="left")
        .join(_utilization(daily_spend, settings), on=_CELL, how="left")
        .join(measured_activity(gpu_activity, daily_spend, settings), on=_CELL, how="left")
        .with_columns(pl.col(*_COUNTS, "units", *_COSTS).fill_null(0))
    )
    return UnitCosts.frame(_with_active_part(_rated(rows)).sort(_CELL))


def _served(daily_service: pl.DataFrame) -> pl.DataFrame:
    month = pl.col("day").dt.truncate("1mo").alias("month")
    rows = daily_service.group_by(month, "model_id")
    return rows.agg(pl.col(_COUNTS).sum(), whole("units"), pl.col("unit_name").max())


def _serving_cost(model_spend: pl.DataFrame) -> pl.DataFrame:
    rows = model_spend.filter(pl.col("phase") == "inference").rename({"direct_usd": "used_usd"})
    return rows.group_by(_CELL).agg(pl.col("used_usd", "idle_share_usd", "shared_share_usd").sum())


def _amortized_training(amortization: pl.DataFrame) -> pl.DataFrame:
    return amortization.select(*_CELL, amortized_training_usd="amortized_usd")


def _rated(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the rates; each part is rounded half up at 12 decimals, and the sums are sums of the parts."""
    quantities = {
        "mtok": ((pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Int128), _MILLION),
        "unit": ((pl.col("units") * 1000).round().cast(pl.Int128), 1000),
    }
    parts = rows.with_columns(
        _per(cost, quantity, scale).alias(f"{cost}_per_{unit}")
        for cost in _COSTS
        for unit, (quantity, scale) in quantities.items()
    )
    return parts.with_columns(
        *(_sum_of(_COSTS[:3], unit).alias(f"allocated_usd_per_{unit}") for unit in quantities),
        *(_sum_of(_COSTS, unit).alias(f"fully_loaded_usd_per_{unit}") for unit in quantities),
        cached_ratio=_ratio("cached_input_tokens", "input_tokens"),
        usage_ratio=_ratio("requests_with_usage", "requests"),
    )


def _with_active_part(rows: pl.DataFrame) -> pl.DataFrame:
    """The allocated cost and rate, split by the time that the GPUs worked; what is left over is the inactive part."""
    millionths = (pl.col("activity_ratio") * _MILLION).round().cast(pl.Int128)
    allocated = {
        "": pl.sum_horizontal(pl.col(cost).to_physical().cast(pl.Int128) for cost in _COSTS[:3]),
        "_per_mtok": pl.col("allocated_usd_per_mtok").to_physical().cast(pl.Int128),
    }
    active = {rate: (2 * whole * millionths + _MILLION) // (2 * _MILLION) for rate, whole in allocated.items()}
    return rows.with_columns(
        *(part.reinterpret(dtype=MONEY).alias(f"active_usd{rate}") for rate, part in active.items()),
        *(
            (allocated[rate] - part).cast(pl.Int128).reinterpret(dtype=MONEY).alias(f"inactive_usd{rate}")
            for rate, part in active.items()
        ),
    )


def _per(cost: str, quantity: pl.Expr, scale: int) -> pl.Expr:
    amount = pl.col(cost).to_physical() * scale
    rate = (2 * amount + quantity) // (2 * pl.when(quantity > 0).then(quantity))
    return rate.reinterpret(dtype=MONEY)


def _sum_of(costs: tuple[str, ...], unit: str) -> pl.Expr:
    return pl.sum_horizontal((f"{cost}_per_{unit}" for cost in costs), ignore_nulls=False)


def _ratio(part: str, of: str) -> pl.Expr:
    return pl.when(pl.col(of) > 0).then(pl.col(part) / pl.col(of))


def _utilization(daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One month and model: busy share of the GPU time of its pools, weighted by the time its serving used of each."""
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    is_time = pl.col("account").is_in(["direct", "unallocated", "idle"]) & pl.col("pool_id").is_not_null()
    rows = daily_spend.filter(is_time).with_columns(month).with_columns(clipped(night_month(settings)))
    pools = rows.group_by(_POOL).agg(gpu_time().alias("whole"))
    busy = rows.filter(pl.col("account") != "idle").group_by(_POOL).agg(gpu_time().alias("busy"))
    serving = rows.filter(pl.col("account") == "direct", pl.col("phase") == "inference", pl.col("gpu_seconds") > 0)
    used = serving.group_by(*_POOL, "model_id").agg(gpu_time()).join(pools, on=_POOL).join(busy, on=_POOL)
    weighted = (pl.col("busy") / pl.col("whole") * pl.col("gpu_seconds")).sum() / pl.col("gpu_seconds").sum()
    return used.sort(*_POOL, "model_id").group_by(_CELL, maintain_order=True).agg(utilization_ratio=weighted)
