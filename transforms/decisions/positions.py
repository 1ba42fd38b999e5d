"""Where each model stands on the night: demand, life and realised prices, each with where it comes from."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.decisions.demand import DAYS_PER_MONTH, demand_levels, served
from warehouse.schemas.decisions import Positions

_ASSUMED_LIFE_MONTHS: Final = 12.0
_OUTLIVED_MONTHS: Final = 3.0
_PRICE_MONTHS: Final = 2
_SPREAD_MONTHS: Final = 6
_ASSUMED_PRICE_SIGMA: Final = 0.15
_LEAST_PRICE_SIGMA: Final = 0.02
_MOST_PRICE_SIGMA: Final = 0.60
_MTOK: Final = 1e6


def positions(
    settings: pl.DataFrame,
    models: pl.DataFrame,
    lives: pl.DataFrame,
    token_usage: pl.DataFrame,
    unit_costs: pl.DataFrame,
    lifecycle_spend: pl.DataFrame,
    daily_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One model on the night: what a token and a FLOP of it cost, what is still to be served and for how long."""
    as_of = settings.item(0, "as_of")
    rows = (
        models.with_columns(pl.lit(as_of).alias("as_of"), _active().alias("active_params"))
        .join(demand_levels(served(token_usage), settings), on="model_id", how="left")
        .join(_lives(models, lives, settings), on="model_id", how="left")
        .join(_token_prices(unit_costs, settings), on="model_id", how="left")
        .join(_gpu_prices(daily_spend), on="model_id", how="left")
        .join(_training_prices(models, lifecycle_spend), on="model_id", how="left")
        .with_columns(*_demand_words(), _inference_flop_price(), pl.col("price_sigma").fill_null(_ASSUMED_PRICE_SIGMA))
    )
    return Positions.frame(rows.sort("model_id"))


def _active() -> pl.Expr:
    return pl.coalesce("active_params", "params")


def _demand_words() -> tuple[pl.Expr, ...]:
    is_served = pl.col("served_days").is_not_null()
    words = (
        pl.when(~is_served)
        .then(pl.lit("no served tokens in the telemetry"))
        .when(pl.col("served_days") < 28)  # noqa: PLR2004 — four weeks, said in words beside it
        .then(pl.lit("under four weeks of telemetry: its mean day, with wide bounds"))
        .otherwise(pl.lit("mean of the last four weeks, held level"))
    )
    return words.alias("demand_basis"), pl.col("served_tokens").fill_null(0), pl.col("served_days").fill_null(0)


def _lives(models: pl.DataFrame, lives: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: months of service still ahead; retires_on, else the policy's life, else the family's median."""
    as_of = pl.lit(settings.item(0, "as_of"))
    policy = lives.filter(pl.col("months").is_not_null()).sort("valid_from", nulls_last=False)
    policy = policy.filter(pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of))
    latest = policy.group_by("model_id", maintain_order=True).agg(pl.col("months").last())
    default = latest.filter(pl.col("model_id") == "*").get_column("months")
    own = models.join(latest, on="model_id", how="left")
    span = (pl.col("retires_on") - pl.col("released_on")).dt.total_days() / DAYS_PER_MONTH
    age = (as_of - pl.col("released_on")).dt.total_days() / DAYS_PER_MONTH
    planned = (pl.col("retires_on") - as_of).dt.total_days() / DAYS_PER_MONTH
    rows = own.with_columns(
        pl.coalesce(pl.col("months"), pl.lit(default.item() if len(default) else None, pl.Float64)).alias("months"),
        pl.when(pl.col("family").is_not_null()).then(span.median().over("family")).alias("family_months"),
    )
    life = pl.coalesce(pl.col("months"), pl.col("family_months"))
    return rows.select(
        "model_id",
        pl.coalesce(
            planned.clip(lower_bound=0), (life - age).clip(_OUTLIVED_MONTHS), pl.lit(_ASSUMED_LIFE_MONTHS)
        ).alias("remaining_months"),
        _life_words(age, life).alias("life_basis"),
    )


def _life_words(age: pl.Expr, life: pl.Expr) -> pl.Expr:
    return (
        pl.when(pl.col("retires_on").is_not_null())
        .then(pl.lit("retires_on in models.csv"))
        .when(age.is_null() | life.is_null())
        .then(pl.lit("12 months assumed: give retires_on in models.csv or months in lives.csv"))
        .when(life - age < _OUTLIVED_MONTHS)
        .then(pl.lit("older than its expected life: 3 months assumed; give retires_on in models.csv"))
        .when(pl.col("months").is_not_null())
        .then(pl.lit("months in lives.csv, from released_on"))
        .otherwise(pl.lit("median life of its family, from released_on"))
    )


def _token_prices(unit_costs: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: what a million tokens cost in the last two months with service, and how much that moves."""
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    used = pl.col("used_usd_per_mtok").cast(pl.Float64)
    allocated = pl.col("allocated_usd_per_mtok").cast(pl.Float64)
    months = (
        unit_costs.filter(pl.col("month") <= settings.item(0, "as_of"), tokens > 0, pl.col("used_usd_per_mtok") > 0)
        .with_columns(tokens.alias("tokens"), used.alias("used"), pl.coalesce(allocated, used).alias("allocated"))
        .with_columns(pl.col("month").rank("ordinal", descending=True).over("model_id").alias("age"))
    )
    recent = pl.col("age") <= _PRICE_MONTHS
    return months.group_by("model_id").agg(
        _weighted("used", recent).alias("used_usd_per_mtok"),
        _weighted("allocated", recent).alias("allocated_usd_per_mtok"),
        pl.col("allocated")
        .filter(pl.col("age") <= _SPREAD_MONTHS)
        .log()
        .std()
        .clip(_LEAST_PRICE_SIGMA, _MOST_PRICE_SIGMA)
        .alias("price_sigma"),
    )


def _weighted(price: str, rows: pl.Expr) -> pl.Expr:
    total = (pl.col(price) * pl.col("tokens")).filter(rows).sum() / pl.col("tokens").filter(rows).sum()
    return total.round(9)


def _gpu_prices(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One model: what an hour of the GPUs that serve it has cost."""
    return (
        daily_spend.filter(pl.col("account") == "direct", pl.col("phase") == "inference", pl.col("gpu_seconds") > 0)
        .group_by("model_id")
        .agg(
            (pl.col("effective_usd").cast(pl.Float64).sum() / pl.col("gpu_seconds").sum() * 3600).alias(
                "usd_per_gpu_hour"
            )
        )
    )


def _training_prices(models: pl.DataFrame, lifecycle_spend: pl.DataFrame) -> pl.DataFrame:
    """One model: USD per FLOP of pre-training that did not fail, its own or else the company's."""
    usd = (pl.col("direct_usd") - pl.col("waste_usd")).cast(pl.Float64)
    spend = lifecycle_spend.filter(pl.col("phase") == "pretraining", pl.col("compute_flop") > 0, usd > 0).select(
        "model_id", usd.alias("usd"), "compute_flop"
    )
    company = spend.select(pl.col("usd").sum() / pl.col("compute_flop").sum()).item() if spend.height else None
    own = pl.col("usd") / pl.col("compute_flop")
    words = (
        pl.when(own.is_not_null())
        .then(pl.lit("its own pre-training"))
        .otherwise(pl.lit("pre-training of the whole company" if company else "no pre-training with known FLOP"))
    )
    return (
        models.select("model_id")
        .join(spend, on="model_id", how="left")
        .select(
            "model_id",
            pl.coalesce(own, pl.lit(company, pl.Float64)).alias("usd_per_training_flop"),
            words.alias("training_price_basis"),
        )
    )


def _inference_flop_price() -> pl.Expr:
    return (pl.col("used_usd_per_mtok") / _MTOK / (2 * pl.col("active_params"))).alias("usd_per_inference_flop")
