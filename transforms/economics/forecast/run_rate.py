"""What days cost that are not known yet if nobody decides anything: serving by its forecast, the rest at its pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from transforms.economics.forecast.demand_states import ALL_MODELS, running_rows
from transforms.economics.forecast.prediction_interval import BLOCK_DAYS, daily_medians, spread_of_window
from transforms.economics.forecast.smoothing import Floats

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
    effective_usd of what stands on such days already.
    """

    serving_from: date
    other_from: date
    serving: Floats
    sigma: float
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
        width = spread_of_window(np.array([self.sigma]), np.array([start + 1.0]), np.array([max(end, start + 1.0)]))
        others = max((last - max(first, self.other_from)).days + 1, 0)
        inside = self.booked.filter(pl.col("charge_date").is_between(first, last))
        serving, other = (_credits_apart(inside.filter(pl.col("is_serving") == side)) for side in (True, False))
        return Window(median, float(width.item()), max(self.other * others - other, 0.0), serving)


def pace_of(
    spent: pl.DataFrame, states: pl.DataFrame, model_lives: pl.DataFrame, as_of: date, last: date
) -> Pace | None:
    """The pace as known on the morning after the night, to the day `last`; none without any history.

    Args:
        spent: `daily_spend` in scope to the night.
        states: `demand_states` of that morning.
        model_lives: when models retire; a day already over counts for models that stopped by then.
        as_of: the night.
        last: the last day asked for.
    """
    known = {row["quantity"]: row for row in states.filter(pl.col("model_id") == ALL_MODELS).iter_rows(named=True)}
    if not known:
        return None
    serving_from, other_from = (_first_unknown(known.get(name), as_of) for name in ("inference_usd", "running_usd"))
    is_serving = (pl.col("account") == "direct") & (pl.col("phase") == "inference").fill_null(value=False)
    running = running_rows(spent).select("charge_date", "effective_usd", is_serving=is_serving)
    is_unknown = pl.col("charge_date") >= pl.when("is_serving").then(pl.lit(serving_from)).otherwise(pl.lit(other_from))
    first_day = min(spent["charge_date"], default=other_from)
    return Pace(
        serving_from,
        other_from,
        _serving(states.filter(pl.col("quantity") == "inference_usd"), model_lives, serving_from, last),
        known.get("inference_usd", {"sigma": 0.0})["sigma"],
        _daily_other(running.filter(~pl.col("is_serving")), first_day, other_from, as_of),
        running.filter(is_unknown),
    )


def accuracy(states: pl.DataFrame) -> dict[str, Any]:
    """How serving is forecast and how well that went; of a company that serves nothing, of what runs on."""
    ours = states.filter(pl.col("model_id") == ALL_MODELS, pl.col("quantity").is_in(["inference_usd", "running_usd"]))
    row = ours.sort("quantity").row(0, named=True)
    told = {name: row[name] for name in ACCURACY}
    return told if row["quantity"] == "inference_usd" else {**told, "method": None}


def _first_unknown(state: dict[str, Any] | None, as_of: date) -> date:
    return as_of + timedelta(days=1 - (state["unseen_days"] if state else 0))


def _serving(states: pl.DataFrame, model_lives: pl.DataFrame, first: date, last: date) -> Floats:
    """The median of all models on each day, less the share of those that have retired by then."""
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
    return np.asarray(daily_medians(company, first, ahead)[0] * np.where(every > 0, left / np.maximum(every, 1e-12), 1))


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
    known = other.filter(pl.col("charge_date") >= start, pl.col("charge_date") < end)
    days: int = (end - start).days
    return _credits_apart(known) / days


def _credits_apart(rows: pl.DataFrame) -> float:
    """A sum; a credit stands beside what is still to come and takes nothing from it."""
    return max(float(rows["effective_usd"].sum() or 0), 0.0)
