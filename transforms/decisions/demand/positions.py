"""Where each model stands on the night: demand, life and realised prices, each with where it comes from."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from transforms.decisions.demand.demand_draws import LONGEST_MONTHS, P90
from transforms.decisions.dollars import in_cents
from transforms.decisions.supply.prices import gpu_prices, token_prices, training_prices
from transforms.demand_growth import paths_of
from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.decisions import Positions

ASSUMED_PRICE_SIGMA: Final = 0.15
_MTOK: Final = 1e6
_LONGEST_LINEAGE: Final = 16
_RECENT_DAYS: Final = 28
# Days of the last four weeks on which a source must have delivered for its silence to mean that nobody asked.
_DELIVERED_DAYS: Final = 25
# How far the tokens of the finished runs may lie from models.csv, as a logarithm: a tenth.
_DISPUTED: Final = 0.1
# Errors of four weeks, a week apart, overlap: four of them tell as much as one.
_WEEKS_OF_AN_ERROR: Final = 4


def positions(
    settings: pl.DataFrame,
    models: pl.DataFrame,
    model_lives: pl.DataFrame,
    daily_service: pl.DataFrame,
    demand_states: pl.DataFrame,
    demand_paths: pl.DataFrame,
    expected_service: pl.DataFrame,
    unit_costs: pl.DataFrame,
    phase_compute: pl.DataFrame,
    daily_spend: pl.DataFrame,
    thirds: pl.DataFrame,
    serving_states: pl.DataFrame,
    lifecycle_spend: pl.DataFrame,
    training_runs: pl.DataFrame,
    token_usage: pl.DataFrame,
) -> pl.DataFrame:
    """One model on the night: what a token and a FLOP of it cost, what is still to be served and for how long."""
    as_of, own = settings.item(0, "as_of"), models.drop("training_tokens")
    rows = own.with_columns(as_of=pl.lit(as_of), active_params=pl.coalesce("active_params", "params"))
    parts = (
        *_prices(models, unit_costs, phase_compute, daily_spend, settings),
        _training_tokens(models, phase_compute),
        _service(daily_service, demand_states, settings),
        _demand(demand_states, expected_service, settings),
        _paths(demand_paths, demand_states, settings),
        model_lives.select("model_id", "ends_on", "basis"),
        thirds.select("model_id", projected_penalty_ratio="projected_penalty_ratio_p50", thirds_status="status"),
        _serving(serving_states),
        _training_inputs(models, phase_compute, lifecycle_spend, training_runs),
        _telemetry(token_usage, settings),
    )
    for part in parts:
        rows = rows.join(part, on="model_id", how="left")
    served = pl.max_horizontal("daily_tokens", pl.col("recent_tokens") / _RECENT_DAYS).alias("served_daily_tokens")
    rows = rows.with_columns(*_defaults(as_of)).with_columns(_inference_flop_price(), served)
    return Positions.frame(rows.sort("model_id"))


def _prices(
    models: pl.DataFrame,
    unit_costs: pl.DataFrame,
    phase_compute: pl.DataFrame,
    daily_spend: pl.DataFrame,
    settings: pl.DataFrame,
) -> tuple[pl.DataFrame, ...]:
    """One model each: what its tokens, its training and its GPUs have cost."""
    return token_prices(unit_costs, settings), training_prices(models, phase_compute), gpu_prices(daily_spend)


def _training_tokens(models: pl.DataFrame, phase_compute: pl.DataFrame) -> pl.DataFrame:
    """One model: tokens of its pre-training, by models.csv, else by its runs, else of the nearest ancestor known."""
    runs = phase_compute.filter(pl.col("phase") == "pretraining").select("model_id", run_tokens="tokens")
    own = models.join(runs, on="model_id", how="left").select(
        "model_id", "base_model_id", training_tokens=pl.coalesce("training_tokens", "run_tokens")
    )
    parents = own.select(base_model_id="model_id", parent="training_tokens", grandparent="base_model_id")
    for _ in range(min(_LONGEST_LINEAGE, own.height)):
        own = own.join(parents, on="base_model_id", how="left").select(
            "model_id",
            pl.when(pl.col("training_tokens").is_null()).then("grandparent").alias("base_model_id"),
            training_tokens=pl.coalesce("training_tokens", "parent"),
        )
    paid = own.join(models.select("model_id", "origin"), on="model_id").filter(pl.col("origin") == "own")
    most = pl.lit(paid["training_tokens"].max(), pl.Float64)
    # of a company that has trained nothing itself, what it adopted is all that is known
    largest = pl.coalesce(most, pl.col("training_tokens").max()).alias("unique_tokens")
    return own.select("model_id", "training_tokens", largest)


def _training_inputs(
    models: pl.DataFrame, phase_compute: pl.DataFrame, lifecycle_spend: pl.DataFrame, training_runs: pl.DataFrame
) -> pl.DataFrame:
    """One model: its post-training so far, GPU time of a FLOP of training, and whether its tokens are in dispute."""
    spent = lifecycle_spend.filter(pl.col("phase") == "posttraining")
    trained = phase_compute.filter(pl.col("phase") == "pretraining")
    counted = lifecycle_spend.filter(
        pl.col("phase") == "pretraining", pl.col("compute_flop") > 0, pl.col("gpu_seconds") > 0
    )
    seconds, flop = float(counted["gpu_seconds"].sum()), float(counted["compute_flop"].sum())
    per_flop = seconds / flop if counted.height else None
    runs = training_runs.filter(pl.col("phase") == "pretraining", pl.col("status") == "finished")
    logged = runs.filter(pl.col("tokens") > 0).group_by("model_id").agg(training_tokens_logged=pl.col("tokens").sum())
    gpus = training_runs.filter(pl.col("phase") == "pretraining").group_by("model_id").agg(
        training_gpus=pl.col("gpu_count").max()
    )  # fmt: skip
    stated = models.select("model_id", "base_model_id", stated="training_tokens")
    off = (pl.col("training_tokens_logged") / pl.col("stated")).log().abs() > _DISPUTED
    return (
        stated.join(spent.select("model_id", posttraining_usd="direct_usd"), on="model_id", how="left")
        .join(trained.select("model_id"), on="model_id", how="left")
        .join(logged, on="model_id", how="left")
        .join(gpus, on="model_id", how="left")
        .select(
            "model_id",
            "posttraining_usd",
            "training_tokens_logged",
            "training_gpus",
            gpu_seconds_per_training_flop=pl.lit(per_flop, pl.Float64),
            is_training_tokens_disputed=(off & pl.col("base_model_id").is_null()).fill_null(value=False),
        )
    )


def _telemetry(token_usage: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: requests of the last four weeks, and whether the sources that tell of it were delivered then."""
    end = settings.item(0, "night_end")
    days = token_usage.filter(pl.col("hour") < end, pl.col("model_id").is_not_null())
    recent = pl.col("hour") >= end - pl.duration(days=_RECENT_DAYS)
    delivered = token_usage.filter(pl.col("hour") < end, recent).group_by("source").agg(
        days=pl.col("hour").dt.date().n_unique()
    )  # fmt: skip
    own = days.group_by("model_id", "source").agg(requests=pl.col("requests").filter(recent).sum())
    return (
        own.join(delivered, on="source", how="left")
        .group_by("model_id")
        .agg(
            recent_requests=pl.col("requests").sum(),
            is_telemetry_delivered=(pl.col("days").fill_null(0) >= _DELIVERED_DAYS).all(),
        )
    )


def _service(daily_service: pl.DataFrame, demand_states: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: what it has served, and what serving it costs a month by the last four weeks that are covered."""
    age = (pl.lit(settings.item(0, "as_of")) - pl.col("day")).dt.total_days()
    unseen = _unseen_days(demand_states, settings)
    tokens, recent = pl.col("input_tokens") + pl.col("output_tokens"), age.is_between(unseen, unseen + _RECENT_DAYS - 1)
    spent = pl.col("inference_usd").filter(recent).sum().cast(pl.Float64)
    return (
        daily_service.filter(age >= 0)
        .group_by("model_id")
        .agg(
            served_tokens=tokens.sum().cast(pl.Float64),
            recent_tokens=tokens.filter(recent).sum().cast(pl.Float64),
            served_days=(pl.col("requests") > 0).sum(),
            unit_name=pl.col("unit_name").drop_nulls().sort().first(),
            monthly_inference_usd=in_cents(spent / _RECENT_DAYS * DAYS_PER_MONTH),
        )
    )


def _unseen_days(demand_states: pl.DataFrame, settings: pl.DataFrame) -> int:
    """How many of the last days telemetry or the bill does not cover yet; their cost is unknown, not zero."""
    company = demand_states.filter(
        pl.col("known_on") == settings.item(0, "as_of") + pl.duration(days=1),
        pl.col("model_id") == "*",
        pl.col("quantity") == "inference_usd",
    )
    return int(company["unseen_days"].sum())


def _demand(demand_states: pl.DataFrame, expected_service: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: level, trend and spread of its tokens as known after the night."""
    key = ["known_on", "model_id", "quantity"]
    tonight = (pl.col("known_on") == settings.item(0, "as_of") + pl.duration(days=1)) & (pl.col("quantity") == "tokens")
    states = demand_states.filter(tonight).select(*key, "level", "trend", "folds")
    spread = (pl.col("expected_p90") / pl.col("expected_p50")).log() / P90
    return (
        expected_service.filter(tonight)
        .join(states, on=key)
        .select(
            "model_id",
            daily_tokens="level",
            daily_tokens_trend="trend",
            demand_sigma=pl.when(pl.col("expected_p50") > 0).then(spread),
            demand_blocks=pl.col("folds") / _WEEKS_OF_AN_ERROR,
            demand_method="method",
            expected_days="days",
        )
    )


def _paths(demand_paths: pl.DataFrame, demand_states: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: the ways in which its tokens may go on, by whole months from the day after the night."""
    is_known = (pl.col("known_on") == settings.item(0, "as_of") + pl.duration(days=1)) & (
        pl.col("quantity") == "tokens"
    )
    levels = demand_states.filter(is_known, pl.col("level") > 0).select("model_id", daily="level")
    rows = demand_paths.filter(is_known).join(levels, on="model_id").sort("model_id", "path")
    paths = paths_of(rows)
    begun = (rows["known_on"] - rows["origin_on"]).dt.total_days().to_numpy().astype(np.float64)[:, None]
    ends = begun + np.arange(LONGEST_MONTHS + 1) * DAYS_PER_MONTH
    ratios = paths.total(ends[:, :-1], ends[:, 1:]) / (rows["daily"].to_numpy()[:, None] * DAYS_PER_MONTH)
    sigmas = paths.spread_within(ends[:, :-1], ends[:, 1:])
    numbers = pl.List(pl.Float64)
    return (
        rows.select(
            "model_id",
            demand_path_weights="weight_ratio",
            demand_path_ratios=pl.Series(ratios.tolist(), dtype=numbers),
            demand_path_sigmas=pl.Series(sigmas.tolist(), dtype=numbers),
        )
        .group_by("model_id", maintain_order=True)
        .agg(pl.all())
    )


def _serving(serving_states: pl.DataFrame) -> pl.DataFrame:
    """One model: the chip and the load of the deployment that serves most of its requests."""
    # chips that serve several models count for each by its tokens, as their cost does
    tokens = (pl.col("computed_input_tokens_per_s") + pl.col("output_tokens_per_s")) * pl.col("hours")
    own_part = pl.when(pl.col("models") > 1).then(tokens / tokens.sum().over("deployment_id")).otherwise(1.0)
    counted = serving_states.with_columns(gpu_count=pl.col("gpu_count") * own_part)
    busiest = counted.sort("model_id", "requests", "deployment_id", descending=[False, True, False])
    return busiest.unique("model_id", keep="first", maintain_order=True).select(
        "model_id", "gpu_model", "gpu_count", "concurrency", "context_tokens"
    )


def _defaults(as_of: object) -> tuple[pl.Expr, ...]:
    planned = (pl.col("ends_on") - pl.lit(as_of)).dt.total_days().clip(0)
    return (
        pl.col("served_tokens", "served_days", "recent_tokens", "monthly_inference_usd", "recent_requests").fill_null(
            0
        ),
        pl.col("is_telemetry_delivered").fill_null(value=False),
        pl.col("price_months", "demand_blocks").fill_null(0),
        pl.col("price_sigma").fill_null(ASSUMED_PRICE_SIGMA),
        pl.col("training_price_basis").fill_null("no training with known FLOP and cost"),
        (pl.coalesce("expected_days", planned, pl.lit(0)) / DAYS_PER_MONTH).alias("remaining_months"),
        pl.col("basis").fill_null("not_released").alias("life_basis"),
        pl.coalesce("demand_method", _undemanded()).alias("demand_basis"),
    )


def _undemanded() -> pl.Expr:
    is_other = pl.col("unit_name").is_not_null()
    words = pl.when(is_other).then(pl.lit("delivers units other than tokens")).when(pl.col("served_days") > 0)
    return words.then(pl.lit("served requests carry no tokens")).otherwise(
        pl.lit("no served requests in the telemetry")
    )


def _inference_flop_price() -> pl.Expr:
    return (pl.col("used_usd_per_mtok").cast(pl.Float64) / _MTOK / (2 * pl.col("active_params"))).alias(
        "usd_per_inference_flop"
    )
