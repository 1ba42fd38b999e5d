"""How demand may go on over a life: the ways of going on that back-tests support, with their weights and spreads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from transforms.demand_growth import HORIZON_DAYS, MOST_SIGMA, SIGMAS, grown_days
from transforms.economics.forecast.demand_states import Series, series_groups
from transforms.economics.forecast.long_horizon import CANDIDATES, LEAST_WEEKS, Origins, Weeks, outlooks
from transforms.economics.forecast.prediction_interval import P90
from transforms.economics.forecast.smoothing import WEEK
from warehouse.schemas.economics import DemandAccuracy, DemandPaths

_KEY: Final = ("known_on", "model_id", "quantity")
_LEAST_WEIGHT: Final = 0.01
_SERVED_WEEKS: Final = 4
_FLEET_WEEKS: Final = 13
_FLEET_HALF: Final = 6
_LEAST_FLEET_DECLINE: Final = -0.01
_FLEET_SIGMA: Final = 0.03
_LEAST_FOLDS: Final = 3
_MOST_FOLDS: Final = 52
_QUARTER: Final = np.array(91.0)


def demand_paths(
    estimate_days: pl.DataFrame,
    daily_service: pl.DataFrame,
    production_units: pl.DataFrame,
    daily_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One way in which one series may go on, as known on one day; the weights of a series add up to 1.

    A series needs eight full weeks and some demand in the last four; without, it has no row. The days of an unfinished
    week belong to what is ahead. Where the cost of serving a model has fallen in both halves of a quarter its fleet is
    being taken down, and ways that decline as it does gain weight; one step down is over.
    """
    known_on = estimate_days["known_on"].sort().to_list()
    parts, fleets = [], []
    for series, weeks in _weekly_groups(daily_service, production_units, daily_spend, known_on):
        fleets.append(_fleets(series, weeks))
        parts.append(_paths(series, weeks, known_on))
    if not parts:
        return DemandPaths.empty()
    rows = pl.concat(parts).sort("origin_on", *_KEY, "path")
    costs = pl.concat(fleets).sort("origin_on", "model_id")
    likely = rows.join_asof(costs, on="origin_on", by="model_id", check_sortedness=False).with_columns(_with_fleet())
    whole = pl.col("weight_ratio").sum().over(_KEY)
    kept = likely.filter(pl.col("weight_ratio") >= _LEAST_WEIGHT * whole).with_columns(pl.col("weight_ratio") / whole)
    return DemandPaths.frame(kept.sort(*_KEY, "path"))


def _with_fleet() -> pl.Expr:
    """The weight of a path times how well its growth over a quarter agrees with a fleet that shrinks."""
    apart = (pl.col("quarterly_growth") - pl.col("fleet_growth")) / _FLEET_SIGMA
    tells = (pl.col("fleet_growth") < _LEAST_FLEET_DECLINE) & pl.col("quantity").is_in(["tokens", "units"])
    # at least a thousandth: a bill is evidence of demand, not demand
    agreement = pl.max_horizontal((-0.5 * apart**2).exp(), pl.lit(1e-3))
    return pl.when(tells).then(pl.col("weight_ratio") * agreement).otherwise("weight_ratio").alias("weight_ratio")


def demand_accuracy(
    daily_service: pl.DataFrame,
    production_units: pl.DataFrame,
    daily_spend: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """How far off forecasts of one series 28, 90 or 180 days ahead have been by the night.

    Each past one is that of the paths and spreads known at its origin, one origin a week, over the last year. Under
    three of them nothing is said.
    """
    night = settings["as_of"].item()
    groups = _weekly_groups(daily_service, production_units, daily_spend, [night + timedelta(days=1)])
    parts = [_accuracy(series, weeks) for series, weeks in groups]
    if not parts:
        return DemandAccuracy.empty()
    few = pl.col("folds") < _LEAST_FOLDS
    measured = pl.when(~few).then(pl.col("mape_ratio", "coverage_ratio"))
    rows = pl.concat(parts).with_columns(measured, as_of=pl.lit(night))
    return DemandAccuracy.frame(rows.sort("model_id", "quantity", "horizon_days"))


def _accuracy(series: Series, weeks: Weeks) -> pl.DataFrame:
    forecasts, week_count = outlooks(weeks), weeks.values.shape[1]
    origin = np.arange(week_count + 1)
    counts = (
        np.isfinite(forecasts.came)
        & (origin >= weeks.starts[:, None] + LEAST_WEEKS)
        & (origin >= week_count - _MOST_FOLDS)
    )
    off = np.where(counts, forecasts.came - forecasts.centre, 0.0)
    folds = counts.sum(axis=2)
    inside = (counts & (np.abs(off) <= P90 * forecasts.spread)).sum(axis=2)
    frames = [
        pl.DataFrame(
            {
                "model_id": [model_id for model_id, _ in series.names],
                "quantity": [quantity for _, quantity in series.names],
                "sigma": np.minimum(forecasts.spread[horizon][:, week_count], MOST_SIGMA),
                "folds": folds[horizon],
                "mape_ratio": (np.abs(np.expm1(-off[horizon])) * counts[horizon]).sum(axis=1) / folds[horizon].clip(1),
                "coverage_ratio": inside[horizon] / folds[horizon].clip(1),
            }
        )
        .with_columns(horizon_days=pl.lit(days))
        .filter(pl.Series(week_count - weeks.starts >= LEAST_WEEKS))
        for horizon, days in enumerate(HORIZON_DAYS)
    ]
    return pl.concat(frames)


def _weekly_groups(
    daily_service: pl.DataFrame, production_units: pl.DataFrame, daily_spend: pl.DataFrame, known_on: list[date]
) -> list[tuple[Series, Weeks]]:
    """The series that end together with their full weeks, where there are enough of them to tell anything."""
    groups = series_groups(daily_service, production_units, daily_spend, known_on)
    weekly = [(series, _weeks(series)) for series in groups]
    return [(series, weeks) for series, weeks in weekly if weeks.values.shape[1] >= LEAST_WEEKS]


def _weeks(series: Series) -> Weeks:
    """The full weeks from Monday on; a series starts with its first full week."""
    before = series.first_day.weekday()
    padded = np.pad(series.values, ((0, 0), (before, 0)))
    full = padded.shape[1] // WEEK
    values = padded[:, : full * WEEK].reshape(len(padded), full, WEEK).mean(axis=2)
    return Weeks(values, -(-(series.starts + before) // WEEK))


def _monday(series: Series) -> date:
    return series.first_day - timedelta(days=series.first_day.weekday())


def _fleets(series: Series, weeks: Weeks) -> pl.DataFrame:
    """One model on one Monday: the growth a week of what serving it has cost over the quarter before.

    Nothing is told by a quarter of which one half does not fall: a fleet that was cut once is not taken down further.
    """
    costs = [row for row, (_, quantity) in enumerate(series.names) if quantity == "inference_usd"]
    origins = Origins(Weeks(weeks.values[costs], weeks.starts[costs]))
    _, growth, count = origins.line("logs", _FLEET_WEEKS)
    origin_count = growth.shape[1]
    late = origins.line("logs", _FLEET_HALF)[1]
    early = np.pad(late, ((0, 0), (_FLEET_WEEKS - _FLEET_HALF, 0)))[:, :origin_count]
    is_falling = (count >= _FLEET_WEEKS) & (np.maximum(early, late) < _LEAST_FLEET_DECLINE)
    mondays = [_monday(series) + timedelta(days=WEEK * number) for number in range(origin_count)]
    return pl.DataFrame(
        {
            "origin_on": pl.Series(mondays * len(costs), dtype=pl.Date),
            "model_id": pl.Series(
                [series.names[row][0] for row in costs for _ in range(origin_count)], dtype=pl.String
            ),
            "fleet_growth": np.where(is_falling, growth, 0.0).ravel(),
        }
    )


def _paths(series: Series, weeks: Weeks, known_on: list[date]) -> pl.DataFrame:
    """Every way of going on of every series that had begun, as known on each day."""
    origins, forecasts = Origins(weeks), outlooks(weeks)
    halved = np.array([candidate.half_life_days for candidate in CANDIDATES])
    parts = []
    for day in known_on:
        stop = int(series.seen[series.day(day)]) if day > series.first_day else 0
        origin = (series.first_day.weekday() + stop) // WEEK
        is_served = weeks.values[:, max(origin - _SERVED_WEEKS, 0) : origin].sum(axis=1) > 0
        series_row, candidate = np.nonzero(
            (forecasts.weight[:, :, origin].T >= _LEAST_WEIGHT / 10)
            & (is_served & (origin - weeks.starts >= LEAST_WEEKS))[:, None]
        )
        growth = forecasts.weekly_growth[candidate, series_row, origin] / WEEK
        annual = [CANDIDATES[number].shape == "annual" for number in candidate]
        seasons = [
            origins.season(int(series_number), origin).tolist() if is_annual else None
            for series_number, is_annual in zip(series_row, annual, strict=True)
        ]
        monday = _monday(series) + timedelta(days=WEEK * origin)
        sigmas = np.minimum(forecasts.sigma[:, candidate, series_row, origin], MOST_SIGMA)
        frame = pl.DataFrame(
            {
                "model_id": pl.Series([series.names[number][0] for number in series_row], dtype=pl.String),
                "quantity": pl.Series([series.names[number][1] for number in series_row], dtype=pl.String),
                "path": candidate.astype(np.int64),
                "shape": pl.Series([CANDIDATES[number].shape for number in candidate], dtype=pl.String),
                "weight_ratio": forecasts.weight[candidate, series_row, origin],
                "level": np.exp(forecasts.log_level[candidate, series_row, origin]),
                "daily_growth_ratio": growth,
                "half_life_days": halved[candidate],
                "season": pl.Series(seasons, dtype=pl.List(pl.Float64)),
                "quarterly_growth": growth * grown_days(_QUARTER, halved[candidate]) / _QUARTER * WEEK,
                **dict(zip(SIGMAS, sigmas, strict=True)),
            }
        )
        parts.append(frame.with_columns(known_on=pl.lit(day), origin_on=pl.lit(monday)))
    infinite = pl.col("half_life_days").is_infinite()
    return pl.concat(parts).with_columns(half_life_days=pl.when(~infinite).then("half_life_days"))
