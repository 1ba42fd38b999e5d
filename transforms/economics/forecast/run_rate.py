"""What days cost that are not known yet if nobody decides anything: serving by its forecast, the rest at its pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from transforms.demand_growth import Paths, paths_of, window_quantiles
from transforms.economics.forecast.demand_states import ALL_MODELS, running_rows
from transforms.economics.forecast.prediction_interval import BLOCK_DAYS, P90, daily_medians, spread_of_window
from transforms.economics.forecast.smoothing import WEEK, Floats

PACE_MONTHS: Final = 3
ACCURACY: Final = ("method", "history_days", "mape_ratio", "naive_mape_ratio", "coverage_ratio")


class Window(NamedTuple):
    """Some days that are not known: the median of serving, how wide it is, the rest, and what is booked of serving."""

    serving: float
    width: float
    other: float
    booked: float


@dataclass(frozen=True)
class Pace:
    """What each day costs from the last known one on, but for training.

    A day that requests or a bill have not told of is unknown, not free: `serving` has the median of each day from
    `serving_from` on, the rest costs `other` a day from `other_from` on; `booked` are charge_date, is_serving and
    effective_usd of what stands on such days already. `sigma` is the spread of four weeks of serving; `paths` are the
    ways in which it may go on beyond them, none of a company that has not served for long.
    """

    serving_from: date
    other_from: date
    serving: Floats
    sigma: float
    paths: ServingPaths | None
    other: float
    booked: pl.DataFrame

    @property
    def open_from(self) -> date:
        """The first day that is not known in full."""
        return min(self.serving_from, self.other_from)

    def window(self, first: date, last: date) -> Window:
        """What is to come on the days from `first` to `last`."""
        start, end = (max((day - self.serving_from).days, 0) for day in (first, last + timedelta(days=1)))
        median = float(self.serving[start:end].sum())
        others = max((last - max(first, self.other_from)).days + 1, 0)
        inside = self.booked.filter(pl.col("charge_date").is_between(first, last))
        serving, other = (_credits_apart(inside.filter(pl.col("is_serving") == side)) for side in (True, False))
        return Window(median, self._width(start, max(end, start + 1)), max(self.other * others - other, 0.0), serving)

    def _width(self, start: int, end: int) -> float:
        """Standard deviation of the logarithm of serving from the day `start` to before `end`."""
        if self.paths and end > BLOCK_DAYS:
            return self.paths.width(start, end)
        return float(spread_of_window(np.array([self.sigma]), np.array([start + 1.0]), np.array([float(end)])).item())


class ServingPaths(NamedTuple):
    """The ways in which the serving of a company may go on, and the days from their origin to the first open day."""

    paths: Paths
    begun: int

    def daily_medians(self, days: int) -> Floats:
        """The median of each of `days` days, before the season of the weekday."""
        first = self.begun + np.arange(float(days))
        return window_quantiles(self.paths, first, first + 1, 0.5)

    def width(self, start: int, end: int) -> float:
        """Half the distance of the logarithms of P10 and P90 of a window, in standard deviations of a normal one."""
        first, last = np.array([float(self.begun + start)]), np.array([float(self.begun + end)])
        low, high = (window_quantiles(self.paths, first, last, level).item() for level in (0.1, 0.9))
        return float(np.log(high / low) / (2 * P90))


def pace_of(
    spent: pl.DataFrame,
    states: pl.DataFrame,
    demand_paths: pl.DataFrame,
    model_lives: pl.DataFrame,
    as_of: date,
    last: date,
) -> Pace | None:
    """The pace as known on the morning after the night, to the day `last`; none without any history.

    Args:
        spent: `daily_spend` in scope to the night.
        states: `demand_states` of that morning.
        demand_paths: those of that morning.
        model_lives: when models retire; a day already over counts for models that stopped by then.
        as_of: the night.
        last: the last day asked for.
    """
    company_states = {
        row["quantity"]: row for row in states.filter(pl.col("model_id") == ALL_MODELS).iter_rows(named=True)
    }
    if not company_states:
        return None
    serving_from, other_from = (
        _first_unknown(company_states.get(name), as_of) for name in ("inference_usd", "running_usd")
    )
    is_serving = (pl.col("account") == "direct") & (pl.col("phase") == "inference").fill_null(value=False)
    running = running_rows(spent).select("charge_date", "effective_usd", is_serving=is_serving)
    is_unknown = pl.col("charge_date") >= pl.when("is_serving").then(pl.lit(serving_from)).otherwise(pl.lit(other_from))
    first_day = min(spent["charge_date"], default=other_from)
    paths = _paths(demand_paths, serving_from)
    return Pace(
        serving_from,
        other_from,
        _serving(states.filter(pl.col("quantity") == "inference_usd"), paths, model_lives, serving_from, last),
        company_states.get("inference_usd", {"sigma": 0.0})["sigma"],
        paths,
        _daily_other(running.filter(~pl.col("is_serving")), first_day, other_from, as_of),
        running.filter(is_unknown),
    )


def accuracy(states: pl.DataFrame) -> dict[str, Any]:
    """How serving is forecast and how well that went; of a company that serves nothing, of what runs on."""
    ours = states.filter(pl.col("model_id") == ALL_MODELS, pl.col("quantity").is_in(["inference_usd", "running_usd"]))
    row = ours.sort("quantity").row(0, named=True)
    errors = {name: row[name] for name in ACCURACY}
    return errors if row["quantity"] == "inference_usd" else {**errors, "method": None}


def _first_unknown(state: dict[str, Any] | None, as_of: date) -> date:
    return as_of + timedelta(days=1 - (state["unseen_days"] if state else 0))


def _paths(demand_paths: pl.DataFrame, serving_from: date) -> ServingPaths | None:
    rows = demand_paths.filter(pl.col("model_id") == ALL_MODELS, pl.col("quantity") == "inference_usd")
    if rows.is_empty():
        return None
    return ServingPaths(paths_of(rows), (serving_from - rows.item(0, "origin_on")).days)


def _serving(
    states: pl.DataFrame, paths: ServingPaths | None, model_lives: pl.DataFrame, first: date, last: date
) -> Floats:
    """The median of all models on each day, less the share of those that have retired by then.

    Four weeks are forecast by their trend, which is damped; after them the paths that past errors support go on.
    """
    days = (last - first).days + 1
    company = states.filter(pl.col("model_id") == ALL_MODELS)
    if company.is_empty() or days < 1:
        return np.zeros(max(days, 0))
    ahead = np.arange(1.0, days + 1)[None, :]
    models = states.filter(pl.col("model_id") != ALL_MODELS).join(
        model_lives.select("model_id", "retires_on", "last_served_on"), on="model_id", how="left"
    )
    each = daily_medians(models.sort("model_id"), first, ahead)
    served = np.array([_days_of_service(row, first) for row in models.sort("model_id").iter_rows(named=True)])
    every = each.sum(axis=0)
    left = (each * (ahead <= served.reshape(-1, 1))).sum(axis=0)
    median = daily_medians(company, first, ahead)[0]
    if paths and days > BLOCK_DAYS:
        season = np.array(company.item(0, "season"))[(first.weekday() + np.arange(days)) % WEEK]
        median = np.where(ahead[0] <= BLOCK_DAYS, median, paths.daily_medians(days) * season)
    return np.asarray(median * np.where(every > 0, left / np.maximum(every, 1e-12), 1))


def _days_of_service(model: dict[str, Any], first: date) -> float:
    """Days from `first` to its retirement; one that goes on serving after its day has not retired."""
    retires, served = model["retires_on"], model["last_served_on"]
    if retires is None or (served is not None and served > retires):
        return float("inf")
    return float((retires - first).days + 1)


def _daily_other(other: pl.DataFrame, first_day: date, other_from: date, as_of: date) -> float:
    """Mean cost of a known day of the last three months that are over; a sum in credit does not go on.

    Under four weeks of such days, all days known are taken.
    """
    this_month = pl.select(pl.lit(as_of + timedelta(days=1)).dt.truncate("1mo").alias("first"))
    ago = this_month.select(pl.col("first").dt.offset_by(f"-{PACE_MONTHS}mo")).item()
    start, end = max(ago, first_day), min(this_month.item(), other_from)
    if (end - start).days < BLOCK_DAYS:
        start, end = max(ago, first_day), other_from
    if end <= start:
        return 0.0
    delivered = other.filter(pl.col("charge_date") >= start, pl.col("charge_date") < end)
    days: int = (end - start).days
    return _credits_apart(delivered) / days


def _credits_apart(rows: pl.DataFrame) -> float:
    """A sum; a credit stands beside what is still to come and takes nothing from it."""
    return max(float(rows["effective_usd"].sum() or 0), 0.0)
