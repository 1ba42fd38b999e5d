"""What tokens, GPU-hours and FLOP have cost this company."""

from __future__ import annotations

from typing import Final

import polars as pl

_PRICE_MONTHS: Final = 2
_SPREAD_MONTHS: Final = 6
_LEAST_SIGMA: Final = 0.02
_MOST_SIGMA: Final = 0.60
_EXACT: Final = pl.Decimal(38, 9)


def token_prices(unit_costs: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: what a million tokens cost in the last two months with service, and how far the next may be."""
    months = (
        unit_costs.with_columns(
            tokens=(pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64),
            used=pl.col("used_usd_per_mtok").cast(pl.Float64),
            allocated=_above_zero("allocated_usd_per_mtok"),
        )
        .with_columns(pl.coalesce("allocated", "used"))
        .filter(pl.col("month") <= settings.item(0, "as_of"), pl.col("tokens") > 0, pl.col("used") > 0)
        .sort("model_id", "month")
        .with_columns(age=pl.col("month").rank("ordinal", descending=True).over("model_id"))
    )
    recent = pl.col("age") <= _PRICE_MONTHS
    spread = pl.col("allocated").filter(pl.col("age") <= _SPREAD_MONTHS).log().std().clip(_LEAST_SIGMA, _MOST_SIGMA)
    return months.group_by("model_id", maintain_order=True).agg(
        _weighted("used", recent).alias("used_usd_per_mtok"),
        _weighted("allocated", recent).alias("allocated_usd_per_mtok"),
        pl.when(pl.len() > _PRICE_MONTHS).then(spread * (1 + 1 / _PRICE_MONTHS) ** 0.5).alias("price_sigma"),
        pl.when(pl.len() > _PRICE_MONTHS).then(pl.len().clip(0, _SPREAD_MONTHS)).otherwise(0).alias("price_months"),
    )


def _above_zero(price: str) -> pl.Expr:
    """A price; a month whose credits exceed its cost has none, and direct cost stands in."""
    value = pl.col(price).cast(pl.Float64)
    return pl.when(value > 0).then(value).alias(price)


def _weighted(price: str, rows: pl.Expr) -> pl.Expr:
    total = (pl.col(price) * pl.col("tokens")).filter(rows).sum() / pl.col("tokens").filter(rows).sum()
    return total.cast(_EXACT)


def gpu_prices(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One model: what an hour of the GPUs that serve it has cost."""
    serving = daily_spend.filter(pl.col("account") == "direct", pl.col("phase") == "inference")
    sums = serving.sort("model_id", "charge_date", "pool_id", "gpu_seconds").group_by("model_id", maintain_order=True)
    return (
        sums.agg(usd=pl.col("effective_usd").sum().cast(pl.Float64), seconds=pl.col("gpu_seconds").sum())
        .filter(pl.col("seconds") > 0, pl.col("usd") > 0)
        .select("model_id", usd_per_gpu_hour=pl.col("usd") / pl.col("seconds") * 3600)
    )


def training_prices(models: pl.DataFrame, phase_compute: pl.DataFrame) -> pl.DataFrame:
    """One model: USD per FLOP of pre-training, its own or else the company's; failed runs are in the price."""
    spend = phase_compute.filter(pl.col("phase") == "pretraining", pl.col("usd_per_flop") > 0).sort("model_id")
    cost = (pl.col("usd_per_flop") * pl.col("compute_flop")).sum()
    company = spend.select(cost / pl.col("compute_flop").sum()).item() if spend.height else None
    own = pl.col("usd_per_flop")
    words = pl.when(own.is_not_null()).then(pl.lit("its own pre-training"))
    others = words.otherwise(pl.lit("pre-training of the whole company" if spend.height else None, pl.String))
    return (
        models.select("model_id")
        .join(spend.select("model_id", "usd_per_flop"), on="model_id", how="left")
        .select(
            "model_id",
            usd_per_training_flop=pl.coalesce(own, pl.lit(company, pl.Float64)),
            training_price_basis=others,
        )
    )
