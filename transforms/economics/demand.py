"""What is known of each model's demand on each day that an estimate is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from transforms.economics.backtest import HORIZON, LEAST_HISTORY, Accuracy, accuracies, folds, short_history
from transforms.economics.lineage import TRAINING
from transforms.economics.months import months_to, night_month
from transforms.economics.smoothing import NAIVE_LANE, WEEK, Floats, Integers, State, states_at
from warehouse.schemas.economics import DemandStates

ALL_MODELS: Final = "*"


@dataclass(frozen=True)
class Series:
    """Daily values side by side from `first_day` to the night; `starts` is the first day of each with any."""

    names: list[tuple[str, str]]
    values: Floats
    starts: Integers
    first_day: date

    def day(self, known_on: date) -> int:
        """Number of days before `known_on`."""
        return (known_on - self.first_day).days


def demand_states(daily_service: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One series of a model (or all models) as known on each month start and after the night.

    Holt-Winters settings and the seasonal naive compete in back-tests from every Monday on which four weeks were known;
    the winner of the last twelve is taken. Under 28 days of history the mean of the last week stands in, with wide
    bounds. Nothing here has seen a day on or after its known_on.
    """
    series = _series(pl.concat([_served(daily_service), _running(daily_spend)]), settings["as_of"].item())
    if not series.names:
        return DemandStates.empty()
    known = _known_on(series, settings)
    days = series.values.shape[1]
    weekday = series.first_day.weekday()
    origins = [day for day in range(days - HORIZON + 1) if (weekday + day) % WEEK == 0 and day >= LEAST_HISTORY]
    stops = [series.day(day) for day in known]
    states = states_at(series.values, series.starts, weekday, [*origins, *stops])
    past = folds(series.values, weekday, states, origins)
    rows = [
        _row(series, number, day, states, accuracy)
        for number in range(len(series.names))
        for day, accuracy in _known(series, number, known, accuracies(past, number, int(series.starts[number]), stops))
    ]
    return DemandStates.frame(pl.DataFrame(rows).sort("known_on", "model_id", "quantity"))


def _known_on(series: Series, settings: pl.DataFrame) -> list[date]:
    """Month starts after the first day, and the day after the night."""
    months = months_to(night_month(settings), pl.Series([series.first_day]).dt.truncate("1mo"))["month"]
    after_night = settings["as_of"].item() + timedelta(days=1)
    return sorted({day for day in months if day > series.first_day} | {after_night})


def _series(long: pl.DataFrame, as_of: date) -> Series:
    """Every series that ever has a value, to the night; days without a row are days without any."""
    positive = long.filter(pl.col("value") > 0, pl.col("day") <= as_of)
    first_day = positive["day"].min()
    if not isinstance(first_day, date):
        return Series([], np.zeros((0, 0)), np.zeros(0, dtype=np.int64), as_of)
    grid = pl.select(pl.date_range(first_day, as_of, "1d").alias("day"))
    wide = grid.join(
        positive.pivot("series", index="day", values="value", aggregate_function="sum"), on="day", how="left"
    )
    ordered = wide.sort("day").drop("day").fill_null(0.0)
    names = sorted(ordered.columns)
    values = np.ascontiguousarray(ordered.select(names).to_numpy().T)
    keys = [(name.partition(" ")[2], name.partition(" ")[0]) for name in names]
    return Series(keys, values, np.asarray((values > 0).argmax(axis=1), dtype=np.int64), first_day)


def _served(daily_service: pl.DataFrame) -> pl.DataFrame:
    """One day of one series of a model or of all: tokens, or units where it serves no tokens, and inference cost."""
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    has_tokens = tokens.sum().over("model_id") > 0
    wide = daily_service.select(
        "day", "model_id", tokens=tokens, units=pl.when(has_tokens).then(0.0).otherwise("units"),
        inference_usd=pl.col("inference_usd").cast(pl.Float64).clip(0),
    )  # fmt: skip
    everything = wide.sort("day", "model_id").group_by("day", maintain_order=True).agg(
        pl.col("tokens", "inference_usd").sum()
    ).with_columns(model_id=pl.lit(ALL_MODELS), units=0.0)  # fmt: skip
    quantities = ["tokens", "units", "inference_usd"]
    long = pl.concat([wide, everything.select(wide.columns)]).unpivot(quantities, index=["day", "model_id"])
    return long.select("day", "value", series=pl.concat_str("variable", "model_id", separator=" "))


def _running(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """One day of all cost in scope but training: what goes on without anybody deciding anything."""
    is_training = (pl.col("account") == "direct") & pl.col("phase").is_in(TRAINING).fill_null(value=False)
    rows = daily_spend.filter(~is_training, pl.col("account") != "out_of_scope")
    days = rows.group_by(day="charge_date").agg(value=pl.col("effective_usd").sum().cast(pl.Float64))
    return days.select("day", "value", series=pl.lit(f"running_usd {ALL_MODELS}"))


def _known(
    series: Series, number: int, known: list[date], accuracy: dict[int, Accuracy]
) -> list[tuple[date, Accuracy]]:
    """The days on which a series had begun, with what its past errors told then."""
    start = int(series.starts[number])
    begun = [day for day in known if series.day(day) > start]
    is_short = {day: series.day(day) - start < LEAST_HISTORY for day in begun}
    return [(day, short_history() if is_short[day] else accuracy[series.day(day)]) for day in begun]


def _row(
    series: Series, number: int, known_on: date, states: dict[int, State], accuracy: Accuracy
) -> dict[str, object]:
    day, start = series.day(known_on), int(series.starts[number])
    state, lane = states[day], accuracy.lane
    is_short = day - start < LEAST_HISTORY
    last_week = float(series.values[number, max(start, day - WEEK) : day].mean())
    model_id, quantity = series.names[number]
    return {
        "known_on": known_on,
        "model_id": model_id,
        "quantity": quantity,
        "method": "last_week" if is_short else "seasonal_naive" if lane == NAIVE_LANE else "smoothing",
        "history_days": day - start,
        "level": last_week if is_short else float(state.level[number, lane]),
        "trend": 0.0 if is_short else float(state.trend[number, lane]),
        "season": [1.0] * WEEK if is_short else [float(x) for x in state.season[number, lane]],
        "sigma": accuracy.sigma,
        "day_sigmas": accuracy.day_sigmas,
        "folds": accuracy.folds,
        "mape_ratio": accuracy.percent,
        "naive_mape_ratio": accuracy.naive_percent,
        "coverage_ratio": accuracy.coverage,
    }
