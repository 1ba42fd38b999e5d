"""What will be served: the level, the spread and the draws of demand."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from transforms.decisions.laws import Floats

DAYS_PER_MONTH: Final = 365.25 / 12
RECENT_DAYS: Final = 28
_WEEK: Final = 7
_LEAST_SIGMA: Final = 0.10
_YOUNG_SIGMA: Final = 0.80


def served(token_usage: pl.DataFrame) -> pl.DataFrame:
    """One model, task and day of finished requests, with the tokens it took in and gave out."""
    return (
        token_usage.filter(pl.col("model_id").is_not_null(), pl.col("status") != "pending")
        .group_by("model_id", "task", pl.col("hour").dt.date().alias("date"))
        .agg(
            (pl.col("input_tokens") + pl.col("output_tokens")).sum().cast(pl.Float64).alias("tokens"),
            pl.col("weighted_tokens_milli").sum().cast(pl.Float64).alias("weight"),
        )
    )


def demand_levels(served_days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model: tokens so far, the level of the last four weeks as a month, and the spread around it.

    The spread is that of the weekly totals around their mean, because a forecast that knows only the level errs by at
    least that much; under four whole weeks it is wide on purpose.
    """
    as_of = settings.item(0, "as_of")
    age = (pl.lit(as_of) - pl.col("date")).dt.total_days()
    daily = served_days.filter(age >= 0).group_by("model_id", "date").agg(pl.col("tokens").sum())
    return (
        daily.with_columns(age.alias("age"))
        .group_by("model_id")
        .agg(
            pl.col("tokens").sum().alias("served_tokens"),
            (pl.col("age").max() + 1).alias("served_days"),
            pl.col("tokens").filter(pl.col("age") < RECENT_DAYS).sum().alias("recent_tokens"),
            *(
                pl.col("tokens").filter(pl.col("age") // _WEEK == week).sum().alias(f"week_{week}")
                for week in range(RECENT_DAYS // _WEEK)
            ),
        )
        .with_columns(_monthly(), _sigma())
        .drop("recent_tokens", *(f"week_{week}" for week in range(RECENT_DAYS // _WEEK)))
    )


def _monthly() -> pl.Expr:
    days = pl.min_horizontal(pl.col("served_days"), pl.lit(RECENT_DAYS))
    return (pl.col("recent_tokens") / days * DAYS_PER_MONTH).alias("monthly_tokens_p50")


def _sigma() -> pl.Expr:
    weeks = pl.concat_list(f"week_{week}" for week in range(RECENT_DAYS // _WEEK))
    spread = (weeks.list.std() / weeks.list.mean()).fill_nan(_YOUNG_SIGMA).clip(_LEAST_SIGMA, _YOUNG_SIGMA)
    return pl.when(pl.col("served_days") >= RECENT_DAYS).then(spread).otherwise(_YOUNG_SIGMA).alias("demand_sigma")


def demand_draws(generator: np.random.Generator, monthly: Floats, sigma: float, draws: int) -> Floats:
    """Tokens by month and draw: one error of level per draw, log-normal around the median path."""
    level = np.exp(sigma * generator.standard_normal(draws))
    return np.asarray(monthly)[:, None] * level[None, :]
