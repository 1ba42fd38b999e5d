"""The days ahead: expected service and cost, day by day, and the day on which inference reaches its share."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from transforms.demand_growth import paths_of, window_quantiles
from transforms.economics.forecast.prediction_interval import (
    BLOCK_DAYS,
    P90,
    daily_medians,
    daily_spread,
    median_sum,
    spread,
)
from transforms.economics.forecast.smoothing import WEEK, Floats
from warehouse.schemas.economics import DemandForecast, Parity


def demand_forecast(demand_states: pl.DataFrame, model_lives: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One day of the next four weeks of one series of a model or of all; none after retires_on.

    Four weeks are as far as its damped trend is tested; `demand_paths` has the days beyond.
    """
    now = settings["as_of"].item() + timedelta(days=1)
    states = demand_states.filter(pl.col("known_on") == now).sort("model_id", "quantity")
    if states.is_empty():
        return DemandForecast.empty()
    ahead = states["unseen_days"].to_numpy()[:, None] + np.arange(1.0, BLOCK_DAYS + 1)
    median = daily_medians(states, now, ahead)
    width = daily_spread(np.array(states["day_sigmas"].to_list()), states["sigma"].to_numpy(), ahead)
    days = pl.select(pl.date_range(now, now + timedelta(days=BLOCK_DAYS - 1), "1d").alias("day"))
    retired = model_lives.filter(pl.col("retires_on").is_not_null()).select("model_id", "retires_on")
    rows = states.select("model_id", "quantity").join(days, how="cross", maintain_order="left_right").with_columns(
        expected_p10=pl.Series((median * np.exp(-P90 * width)).ravel()),
        expected_p50=pl.Series(median.ravel()),
        expected_p90=pl.Series((median * np.exp(P90 * width)).ravel()),
    )  # fmt: skip
    served = rows.join(retired, on="model_id", how="left").filter(
        pl.col("retires_on").is_null() | (pl.col("day") <= pl.col("retires_on"))
    )
    return DemandForecast.frame(served.sort("day", "model_id", "quantity"))


def parity(
    amortization: pl.DataFrame,
    training_assets: pl.DataFrame,
    demand_states: pl.DataFrame,
    demand_paths: pl.DataFrame,
    expected_service: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One model with training: how much it must still serve until inference has cost its target share, and when.

    At the latest price of a token and the demand that is forecast; a day after the expected end of service is never.
    """
    as_of = settings["as_of"].item()
    latest = pl.col("month") == pl.lit(as_of).dt.truncate("1mo")
    needs = amortization.filter(latest).select("month", "model_id", "production_unit", "tokens_to_parity").join(
        training_assets.select("month", "model_id", "served_usd_per_unit"), on=["month", "model_id"], how="left"
    )  # fmt: skip
    now = pl.col("known_on") == as_of + timedelta(days=1)
    ahead = expected_service.filter(now, pl.col("quantity").is_in(["tokens", "units"])).select("model_id", "days")
    states = demand_states.filter(now, pl.col("quantity").is_in(["tokens", "units"]))
    rows = needs.join(ahead, on="model_id", how="left").join(
        states.select("model_id", "level", "trend", "sigma", "unseen_days"), on="model_id", how="left"
    )  # fmt: skip
    ways = demand_paths.filter(now, pl.col("quantity").is_in(["tokens", "units"]))
    paths = {str(key[0]): part for key, part in ways.group_by("model_id", maintain_order=True)}
    dated = [_dates(row, as_of, paths.get(row["model_id"])) for row in rows.sort("model_id").iter_rows(named=True)]
    if not dated:
        return Parity.empty()
    return Parity.frame(rows.sort("model_id").with_columns(pl.DataFrame(dated, infer_schema_length=None)))


def _dates(row: dict[str, float], as_of: date, paths: pl.DataFrame | None) -> dict[str, object]:
    """The first day on which the sum served reaches what is needed, at high, median and low demand."""
    need, days = row["tokens_to_parity"], row["days"]
    if need is None:
        return _verdict(as_of, "unknown", [None] * 3)
    if need <= 0:
        return _verdict(as_of, "reached", [None] * 3)
    if days is None:
        return _verdict(as_of, "unknown", [None] * 3)
    unseen = int(row["unseen_days"])
    ahead = np.arange(1.0, float(days) + unseen + 1)
    sums = _sums(row, ahead) if paths is None or days <= BLOCK_DAYS else _path_sums(paths, ahead, unseen)
    reached = [np.flatnonzero(served >= need) for served in sums]
    # days that are not known yet serve as well, but a day that is over is no forecast
    reached_on = [
        as_of + timedelta(days=max(int(day_numbers[0]) - unseen, 0) + 1) if len(day_numbers) else None
        for day_numbers in reached
    ]
    return _verdict(as_of, "expected" if reached_on[1] else "never", reached_on)


def _sums(row: dict[str, float], ahead: Floats) -> list[Floats]:
    """What is served to each day ahead at high, median and low demand, by the forecast of four weeks."""
    median = median_sum(np.array([row["level"]]), np.array([row["trend"]]), ahead)
    width = spread(np.array([row["sigma"]]), ahead)
    return [np.asarray(median * np.exp(z * width)) for z in (P90, 0.0, -P90)]


def _path_sums(rows: pl.DataFrame, ahead: Floats, unseen: int) -> list[Floats]:
    """The same by the paths over a life, from week to week; between two weeks it grows evenly."""
    paths = paths_of(rows)
    begun = float((rows.item(0, "known_on") - rows.item(0, "origin_on")).days - unseen)
    weeks = np.arange(1.0, np.ceil(ahead[-1] / WEEK) + 1) * WEEK
    first, week_ends = np.full(len(weeks), begun), np.concatenate([[0.0], weeks])
    quantiles = (window_quantiles(paths, first, begun + weeks, level) for level in (0.9, 0.5, 0.1))
    return [np.interp(ahead, week_ends, np.concatenate([[0.0], served])) for served in quantiles]


def _verdict(as_of: date, verdict: str, days: list[date | None]) -> dict[str, object]:
    names = ("parity_on_p10", "parity_on_p50", "parity_on_p90")
    return {"as_of": as_of, "verdict": verdict, **dict(zip(names, days, strict=True))}
