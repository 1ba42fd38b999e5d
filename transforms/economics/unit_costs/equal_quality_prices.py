"""What tokens of one quality have cost over time, at home and at an API."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.economics import EqualQualityPrices

# The price of fewer tokens than these is a price of a few requests.
_LEAST_TOKENS: Final = 10_000_000
_LEAST_MONTHS: Final = 6
_PRICES: Final = ("used_usd_per_mtok", "allocated_usd_per_mtok")


def equal_quality_prices(
    unit_costs: pl.DataFrame, scaling_evidence: pl.DataFrame, api_comparisons: pl.DataFrame
) -> pl.DataFrame:
    """One month of one model's quality: the cheapest tokens at least as good, and their change since the first.

    A larger model that a smaller one matches is a bar that the smaller one sets the price of. Months with under ten
    million tokens of a model have no price of it.
    """
    enough = pl.col("input_tokens") + pl.col("output_tokens") >= _LEAST_TOKENS
    served = (
        unit_costs.filter(enough, pl.col("used_usd_per_mtok") > 0)
        .select("month", "model_id", *_PRICES)
        .join(scaling_evidence.select("model_id", "loss"), on="model_id", how="left")
    )
    rows = pl.concat([_by_loss(served.filter(pl.col("loss").is_not_null())), _alone(served)], how="diagonal")
    offers = api_comparisons.filter(pl.col("rank") == 1).select(
        "month", "model_id", "api_model", "api_usd_per_mtok", api_priced_on="priced_on"
    )
    ordered = rows.join(offers, on=["month", "model_id"], how="left").sort("model_id", "month")
    price = pl.col("used_usd_per_mtok").cast(pl.Float64)
    changed = ordered.with_columns(
        first_month=pl.col("month").first().over("model_id"),
        since_first_ratio=price / price.first().over("model_id"),
    )
    first, month = pl.col("first_month"), pl.col("month")
    months = 12 * (month.dt.year() - first.dt.year()) + month.dt.month() - first.dt.month()
    yearly = pl.when(months >= _LEAST_MONTHS).then(pl.col("since_first_ratio").pow(12 / months) - 1)
    return EqualQualityPrices.frame(changed.with_columns(yearly_change_ratio=yearly).sort("month", "model_id"))


def _alone(served: pl.DataFrame) -> pl.DataFrame:
    """Models whose loss nobody can predict: each stands for itself."""
    return served.filter(pl.col("loss").is_null()).with_columns(serving_model_id="model_id")


def _by_loss(served: pl.DataFrame) -> pl.DataFrame:
    """Each month from the first that served a quality on: the cheapest model of at most that loss."""
    ranked = served.sort("month", "loss", "used_usd_per_mtok", "model_id")
    is_cheapest = pl.col("used_usd_per_mtok") == pl.col("used_usd_per_mtok").cum_min().over("month")
    cheapest = ranked.filter(is_cheapest).select("month", "loss", *_PRICES, serving_model_id="model_id").sort("loss")
    bars = served.select("model_id", "loss").unique()
    months = served.select("month").unique()
    wanted = bars.join(months, how="cross").sort("loss")
    return wanted.join_asof(cheapest, on="loss", by="month", check_sortedness=False).filter(
        pl.col("serving_model_id").is_not_null()
    )
