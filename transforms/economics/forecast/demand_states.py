"""What is known of each model's demand on each day that an estimate is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from transforms.economics.completeness import bills_by_day, filled, requests_by_day, seen_before, unknown_days
from transforms.economics.forecast.backtest import (
    FOLDS_BEFORE,
    HORIZON,
    LEAST_HISTORY,
    SHORT_SIGMA,
    Accuracy,
    accuracies,
)
from transforms.economics.forecast.smoothing import NAIVE_LANE, WEEK, Floats, Integers, State, states_at
from transforms.economics.months import months_to, night_month
from transforms.economics.spend.lineage_shares import TRAINING
from warehouse.schemas.economics import DemandStates, EstimateDays

ALL_MODELS: Final = "*"


@dataclass(frozen=True)
class Series:
    """Daily values side by side from `first_day` to the last known day.

    `starts` is the first day of each with any; `seen` has for each number of days before a day how many of them reach
    to the last known one.
    """

    names: list[tuple[str, str]]
    values: Floats
    starts: Integers
    first_day: date
    seen: Integers

    def day(self, known_on: date) -> int:
        """Number of days before `known_on`."""
        return (known_on - self.first_day).days


def estimate_days(
    daily_service: pl.DataFrame, model_spend: pl.DataFrame, company_spend: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One day on which estimates are made: month starts since the first cost or service, the day after the night."""
    seen = (daily_service["day"].dt.truncate("1mo"), model_spend["month"], company_spend["month"])
    months = months_to(night_month(settings), *seen).select(known_on="month").slice(1)
    tomorrow = pl.DataFrame({"known_on": [settings["as_of"].item() + timedelta(days=1)]})
    return EstimateDays.frame(pl.concat([months, tomorrow]).unique().sort("known_on"))


def demand_states(
    estimate_days: pl.DataFrame,
    daily_service: pl.DataFrame,
    production_units: pl.DataFrame,
    daily_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One series of a model (or all models) as known on each day on which estimates are made.

    Holt-Winters settings and the seasonal naive compete in back-tests from every Monday on which four weeks were known;
    the winner of the last twelve is taken. Under 28 days of history the mean of the last week stands in, with wide
    bounds. Nothing here has seen a day on or after its known_on, and a series ends where telemetry or the bill does:
    a state is that after the last known day before known_on.
    """
    known_on = estimate_days["known_on"].sort().to_list()
    groups = series_groups(daily_service, production_units, daily_spend, known_on)
    parts = [DemandStates.empty(), *(_states(series, known_on) for series in groups)]
    return DemandStates.frame(pl.concat(parts).sort("known_on", "model_id", "quantity"))


def series_groups(
    daily_service: pl.DataFrame, production_units: pl.DataFrame, daily_spend: pl.DataFrame, known_on: Sequence[date]
) -> list[Series]:
    """What was served, what that cost, and what else goes on; the series of a group end together."""
    served = _served(daily_service, production_units)
    is_cost = pl.col("series").str.starts_with("inference_usd ")
    is_serving = (pl.col("account") == "direct") & (pl.col("phase") == "inference")
    requests, running = requests_by_day(daily_service), running_rows(daily_spend)
    end = max(known_on, default=date.min)
    groups = (
        _series(served.filter(~is_cost), [requests], end),
        _series(served.filter(is_cost), [requests, bills_by_day(daily_spend.filter(is_serving))], end),
        _series(_running(running), [bills_by_day(running)], end),
    )
    return [series for series in groups if series.names]


def _states(series: Series, known_on: Sequence[date]) -> pl.DataFrame:
    """The series that end together, as known on each day asked for."""
    stops_by_day = {day: int(series.seen[series.day(day)]) for day in known_on if day > series.first_day}
    if not stops_by_day:
        return DemandStates.empty()
    days = series.values.shape[1]
    weekday = series.first_day.weekday()
    stops = sorted(set(stops_by_day.values()))
    first = max(stops[0] - FOLDS_BEFORE * WEEK - HORIZON, LEAST_HISTORY)
    origins = [day for day in range(first, days - HORIZON + 1) if (weekday + day) % WEEK == 0]
    states = states_at(series.values, series.starts, weekday, [*origins, *stops])
    mondays = {day: states[day] for day in origins}
    accuracy_by_stop = accuracies(series.values, series.starts, weekday, mondays, stops)
    parts = (_rows(series, day, states[stop], accuracy_by_stop[stop]) for day, stop in stops_by_day.items())
    return DemandStates.frame(pl.concat(parts))


def _series(long: pl.DataFrame, delivered: Sequence[pl.DataFrame], end: date) -> Series:
    """Every series with a value before `end`, to the last known day; known days without a row are days without any."""
    positive = long.filter(pl.col("value") > 0, pl.col("day") < end)
    first_day = positive["day"].min()
    if not isinstance(first_day, date):
        none = np.zeros(0, dtype=np.int64)
        return Series([], np.zeros((0, 0)), none, end, none)
    nights = (end - first_day).days
    unknown = np.logical_or.reduce([unknown_days(days, first_day, nights) for days in delivered])
    seen = seen_before(unknown)
    observed = positive.with_columns(place=(pl.col("day") - first_day).dt.total_days()).filter(
        pl.col("place") < seen[-1]
    )
    names = observed["series"].unique().sort().to_list()
    number = {name: row for row, name in enumerate(names)}
    cells = observed.select(pl.col("series").replace_strict(number, return_dtype=pl.Int64), "place", "value")
    values = np.zeros((len(names), int(seen[-1])))
    values[cells["series"].to_numpy(), cells["place"].to_numpy()] = cells["value"].to_numpy()
    values = filled(values, unknown[: seen[-1]])
    keys = [(name.partition(" ")[2], name.partition(" ")[0]) for name in names]
    return Series(keys, values, np.asarray((values > 0).argmax(axis=1), dtype=np.int64), first_day, seen)


def _served(daily_service: pl.DataFrame, production_units: pl.DataFrame) -> pl.DataFrame:
    """One day of one series of a model or of all: tokens, or units where it serves no tokens, and inference cost."""
    units = pl.when(pl.col("production_unit") == "tokens").then(0.0).otherwise("units")
    wide = daily_service.join(production_units.drop("unit_name"), on="model_id", how="left").select(
        "day", "model_id", tokens=(pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64), units=units,
        inference_usd=pl.col("inference_usd").cast(pl.Float64).clip(0),
    )  # fmt: skip
    everything = wide.sort("day", "model_id").group_by("day", maintain_order=True).agg(
        pl.col("tokens", "inference_usd").sum()
    ).with_columns(model_id=pl.lit(ALL_MODELS), units=0.0)  # fmt: skip
    quantities = ["tokens", "units", "inference_usd"]
    long = pl.concat([wide, everything.select(wide.columns)]).unpivot(quantities, index=["day", "model_id"])
    return long.select("day", "value", series=pl.concat_str("variable", "model_id", separator=" "))


def running_rows(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """All cost in scope but training: what goes on without anybody deciding anything."""
    is_training = (pl.col("account") == "direct") & pl.col("phase").is_in(TRAINING).fill_null(value=False)
    return daily_spend.filter(~is_training, pl.col("account") != "out_of_scope")


def _running(rows: pl.DataFrame) -> pl.DataFrame:
    """One day of what goes on."""
    days = rows.group_by(day="charge_date").agg(value=pl.col("effective_usd").sum().cast(pl.Float64))
    return days.select("day", "value", series=pl.lit(f"running_usd {ALL_MODELS}"))


def _rows(series: Series, known_on: date, state: State, accuracy: Accuracy) -> pl.DataFrame:
    """The series that had begun, as known on one day; under four weeks of history the last week's mean stands in."""
    day = int(series.seen[series.day(known_on)])
    history = day - series.starts
    is_short = history < LEAST_HISTORY
    lanes = np.arange(len(history)), accuracy.lane
    method = np.where(is_short, "last_week", np.where(accuracy.lane == NAIVE_LANE, "seasonal_naive", "smoothing"))
    frame = pl.DataFrame(
        {
            "model_id": [model_id for model_id, _ in series.names],
            "quantity": [quantity for _, quantity in series.names],
            "method": method.tolist(),
            "history_days": history,
            "unseen_days": series.day(known_on) - day,
            "level": np.where(is_short, _last_week(series, day), state.level[lanes]),
            "trend": np.where(is_short, 0.0, state.trend[lanes]),
            "season": np.where(is_short[:, None], 1.0, state.season[lanes]),
            "sigma": np.where(is_short, SHORT_SIGMA, accuracy.sigma),
            "day_sigmas": np.where(is_short[:, None], SHORT_SIGMA, accuracy.day_sigmas),
            "folds": np.where(is_short, 0, accuracy.folds),
            "mape_ratio": np.where(is_short, np.nan, accuracy.percent),
            "naive_mape_ratio": np.where(is_short, np.nan, accuracy.naive_percent),
            "coverage_ratio": np.where(is_short, np.nan, accuracy.coverage),
        }
    )
    lists = pl.col("season", "day_sigmas").cast(pl.List(pl.Float64))
    unknown = pl.col("mape_ratio", "naive_mape_ratio", "coverage_ratio").fill_nan(None)
    return frame.filter(pl.col("history_days") > 0).with_columns(lists, unknown, known_on=pl.lit(known_on))


def _last_week(series: Series, day: int) -> Floats:
    """Mean of the seven days before `day`, or of as many as a series has had."""
    first = np.maximum(series.starts, day - WEEK)
    seen = np.arange(max(day - WEEK, 0), day)
    counts = (seen[None, :] >= first[:, None]).astype(np.float64)
    return np.asarray((series.values[:, seen] * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1))
