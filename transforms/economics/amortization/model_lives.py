"""How long each model serves, and what is still to come until then."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from transforms.demand_growth import mixture_quantiles, paths_of
from transforms.economics.forecast.demand_states import ALL_MODELS
from transforms.economics.forecast.prediction_interval import BLOCK_DAYS, P90, median_sum, spread_of_window
from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.economics import ExpectedService, ModelLives

ASSUMED_LIFE_DAYS: Final = 365
_ESTIMATES: Final = ("model_policy", "family_median", "default_policy", "company_median", "assumed")
_OUTLIVED_DAYS: Final = 28
_KEY: Final = ("known_on", "model_id", "quantity")


def model_lives(
    models: pl.DataFrame, lives: pl.DataFrame, daily_service: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One model's service: from when, until when, and how that is known.

    The end is retires_on where it is given; else the life that lives.csv gives the model, the median of its family,
    the life that lives.csv gives all, the median of the company, or a year, which is an assumption. A life counts from
    the release, or from the first request where there is no release date. A company that tells of no request at all
    serves on the days on which serving costs something.
    """
    has_requests = daily_service.select((pl.col("requests") > 0).any()).item()
    is_served = pl.col("requests") > 0 if has_requests else pl.col("inference_usd") > 0
    served = daily_service.filter(is_served).group_by("model_id").agg(
        first_served_on=pl.col("day").min(), last_served_on=pl.col("day").max()
    )  # fmt: skip
    policy = _policy_days(lives, settings)
    default = policy.filter(pl.col("model_id") == ALL_MODELS)["days"]
    life = (pl.col("retires_on") - pl.col("released_on")).dt.total_days() + 1
    rows = (
        models.join(served, on="model_id", how="left")
        .join(policy, on="model_id", how="left")
        .with_columns(
            start=pl.coalesce("released_on", "first_served_on"),
            model_policy=pl.col("days"),
            family_median=pl.when(pl.col("family").is_not_null()).then(life.median().over("family")),
            default_policy=pl.lit(default.item() if len(default) else None, dtype=pl.Float64),
            company_median=life.median(),
            assumed=pl.lit(ASSUMED_LIFE_DAYS, dtype=pl.Float64),
        )
    )
    return ModelLives.frame(
        rows.with_columns(ends_on=_ends_on(), basis=_basis(), typical_days=_typical_days()).sort("model_id")
    )


def _policy_days(lives: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One model (or `*`) and its life in days by lives.csv as it holds on the night."""
    holds = pl.col("valid_from").is_null() | (pl.col("valid_from") <= settings["as_of"].item())
    rows = lives.filter(holds, pl.col("months").is_not_null()).sort("model_id", "valid_from", nulls_last=False)
    return rows.group_by("model_id", maintain_order=True).agg(days=pl.col("months").last() * DAYS_PER_MONTH)


def _ends_on() -> pl.Expr:
    last = pl.coalesce(_ESTIMATES).round().cast(pl.Int64) - 1
    return pl.coalesce("retires_on", pl.col("start") + pl.duration(days=last))


def _typical_days() -> pl.Expr:
    """The shorter of the policy's life and the family's median; the company's where neither is known."""
    policy = pl.coalesce("model_policy", "default_policy")
    return pl.coalesce(pl.min_horizontal(policy, "family_median"), "company_median", "assumed")


def _basis() -> pl.Expr:
    estimates = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in _ESTIMATES]
    is_planned, is_unborn = pl.col("retires_on").is_not_null(), pl.col("start").is_null()
    planned_basis = pl.when(is_planned).then(pl.lit("retires_on")).when(is_unborn).then(pl.lit("not_released"))
    return pl.coalesce(planned_basis, *estimates)


def expected_service(
    demand_states: pl.DataFrame, demand_paths: pl.DataFrame, model_lives: pl.DataFrame
) -> pl.DataFrame:
    """One series of a model as known on one day: what is still to come until the end of service.

    Over four weeks it is the forecast of four weeks; over more, the paths that past errors support, mixed by their
    weights. A model that has outlived an estimated end and still serves is expected to serve four weeks more.
    """
    rows = demand_states.join(model_lives.select("model_id", "ends_on", "basis"), on="model_id", how="inner")
    planned = ((pl.col("ends_on") - pl.col("known_on")).dt.total_days() + 1).clip(0)
    is_outlived = (pl.col("basis") != "retires_on") & (pl.col("level") > 0)
    days = pl.when(is_outlived).then(planned.clip(_OUTLIVED_DAYS)).otherwise(planned)
    states = rows.filter(pl.col("ends_on").is_not_null()).with_columns(days=days)
    level, trend, sigma = (states[name].to_numpy() for name in ("level", "trend", "sigma"))
    unseen, left = (states[name].to_numpy().astype(np.float64) for name in ("unseen_days", "days"))
    median = median_sum(level, trend, unseen + left) - median_sum(level, trend, unseen)
    width = spread_of_window(sigma, unseen + 1, unseen + left)
    near = states.with_columns(
        ends_on=pl.col("known_on") + pl.duration(days=pl.col("days") - 1),
        expected_p10=pl.Series(median * np.exp(-P90 * width)),
        expected_p50=pl.Series(median),
        expected_p90=pl.Series(median * np.exp(P90 * width)),
    )
    expected = near.update(_far(states, demand_paths), on=_KEY)
    spread = (pl.col("expected_p90") / pl.col("expected_p10")).log() / (2 * P90)
    variation = (
        pl.when(pl.col("expected_p10") > 0)
        .then(((spread**2).exp() - 1).sqrt())
        .otherwise(pl.Series(np.sqrt(np.expm1(width**2))))
    )
    return ExpectedService.frame(expected.with_columns(variation_ratio=variation).sort(_KEY))


def _far(states: pl.DataFrame, demand_paths: pl.DataFrame) -> pl.DataFrame:
    """One series with over four weeks to come and paths: P10, P50 and P90 of what they add up to."""
    ahead = states.filter(pl.col("days") > BLOCK_DAYS, pl.col("level") > 0).select(*_KEY, "days")
    rows = demand_paths.join(ahead, on=_KEY).sort(*_KEY, "path")
    keys = rows.select(_KEY).unique(maintain_order=True)
    first = (rows["known_on"] - rows["origin_on"]).dt.total_days().to_numpy().astype(np.float64)[:, None]
    last = first + rows["days"].to_numpy()[:, None]
    paths, group = paths_of(rows), rows.select(pl.struct(_KEY).rank("dense")).to_series().to_numpy().astype(np.int64)
    sums, sigma = np.log(paths.total(first, last)[:, 0]), paths.spread_within(first, last)[:, 0]
    levels = {"expected_p10": 0.1, "expected_p50": 0.5, "expected_p90": 0.9}
    return keys.with_columns(
        pl.Series(name, mixture_quantiles(group, paths.weight, sums, sigma, level), dtype=pl.Float64)
        for name, level in levels.items()
    )
