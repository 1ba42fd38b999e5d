"""What the decisions must fulfil before a night is published; each function returns the rows that break it."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.decisions.portfolio.portfolio_selection import TASK_ACTIONS, WHOLE_ACTIONS
from transforms.periods import DAYS_PER_MONTH
from warehouse.vocabulary import ENOUGH_PROBABILITY

_CENT: Final = 0.02  # two amounts rounded to the cent
_FLOAT: Final = 1e-9
_HOURS: Final = DAYS_PER_MONTH * 24
_LEVELS: Final = ("monthly_saving_usd", "next_year_saving_usd", "net_present_value_usd")


def models_without_a_card(models: pl.DataFrame, recommendations: pl.DataFrame) -> pl.DataFrame:
    """One model that neither acts nor holds, or does both."""
    cards = recommendations.filter(pl.col("model_id").is_not_null()).group_by("model_id").agg(
        holds=(pl.col("action") == "hold").sum(), acts=(pl.col("action") != "hold").sum()
    )  # fmt: skip
    both = models.select("model_id").join(cards, on="model_id", how="full", coalesce=True)
    counts = both.with_columns(pl.col("holds", "acts").fill_null(0))
    return counts.filter(pl.col("holds") + (pl.col("acts") > 0).cast(pl.Int32) != 1).sort("model_id")


def savings_counted_twice(recommendations: pl.DataFrame) -> pl.DataFrame:
    """One model whose tasks move while it is changed as a whole, or one task or pool with two cards."""
    acts = recommendations.filter(pl.col("action") != "hold")
    subjects = acts.filter(pl.col("action") != "tune_serving").group_by("model_id", "task", "pool_id").len()
    doubled = subjects.filter(pl.col("len") > 1).select("model_id", "task", "pool_id")
    kinds = acts.filter(pl.col("model_id").is_not_null(), pl.col("action") != "tune_serving").with_columns(
        kind=pl.when(pl.col("action").is_in(TASK_ACTIONS)).then(pl.lit("moves")).otherwise("action")
    )
    mixed = kinds.filter(pl.col("kind").n_unique().over("model_id") > 1).select("model_id", "task", "pool_id")
    return pl.concat([doubled, mixed]).unique().sort("model_id", "task", "pool_id", nulls_last=True)


def unproven_recommendations(recommendations: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One recommendation to act whose chance or whose median saving, given its gate, is under what policy asks for."""
    asked = recommendations.filter(pl.col("action") != "hold")
    is_likely = pl.col("probability_if_passed") >= ENOUGH_PROBABILITY
    is_material = pl.col("monthly_saving_if_passed_usd_p50") >= settings.item(0, "materiality_usd")
    return asked.filter((is_likely & is_material).fill_null(value=False).not_())


def savings_above_what_is_paid(portfolio: pl.DataFrame) -> pl.DataFrame:
    """One month of one card, or of the sum of all, that saves more than its pools could be left unpaid of.

    What is under contract, and what was bought, is in nothing that could be left unpaid.
    """
    months = portfolio.select("position", "model_id", "pool_id", "action", "saved_usd_p90", "payable_usd_p90")
    each = months.explode("saved_usd_p90", "payable_usd_p90")
    return each.filter(pl.col("saved_usd_p90") > pl.col("payable_usd_p90") * (1 + _FLOAT) + _CENT)


def cards_above_their_pool(recommendations: pl.DataFrame) -> pl.DataFrame:
    """One card that saves more a month than its pools cost in it."""
    return recommendations.filter(pl.col("monthly_saving_usd_p90") > pl.col("monthly_paid_usd_p90") + _CENT)


def purchases_given_back(supply: pl.DataFrame) -> pl.DataFrame:
    """One month of supply of which more could be saved than may: a purchase, or a contract before its end."""
    cost = pl.col("usd").cast(pl.Float64)
    power = pl.col("gpu_hours") * pl.col("avoidable_usd_per_gpu_hour")
    after_its_end = cost.abs() - pl.col("gpus") * pl.col("paid_ratio_latest") * _HOURS * pl.col("usd_per_gpu_hour")
    most = (
        pl.when(pl.col("supply_kind") == "owned")
        .then(pl.min_horizontal(power, cost))
        .when(pl.col("supply_kind") == "committed")
        .then(pl.max_horizontal(after_its_end, pl.lit(0.0)))
        .otherwise(cost)
    )
    return supply.filter(pl.col("avoidable_usd").cast(pl.Float64) > most * (1 + _FLOAT) + _CENT)


def cards_that_exclude_each_other(recommendations: pl.DataFrame) -> pl.DataFrame:
    """One card that moves users to a model which another card retires or replaces."""
    acts = recommendations.filter(pl.col("action") != "hold")
    going = acts.filter(pl.col("action").is_in(WHOLE_ACTIONS)).select(target_model_id="model_id")
    return acts.filter(pl.col("target_model_id").is_not_null()).join(going, on="target_model_id", how="semi")


def crossed_percentiles(candidates: pl.DataFrame) -> pl.DataFrame:
    """One alternative whose P10, P50 and P90 are not in order, or of which only some are known."""
    names = [(f"{stem}_p10", f"{stem}_p50", f"{stem}_p90") for stem in _LEVELS]
    ordered = [(pl.col(low) <= pl.col(mid)) & (pl.col(mid) <= pl.col(high)) for low, mid, high in names]
    absent = [pl.all_horizontal(pl.col(column).is_null() for column in three) for three in names]
    fine = [(order | gone).fill_null(value=False) for order, gone in zip(ordered, absent, strict=True)]
    return candidates.filter(pl.all_horizontal(fine).not_())
