"""What each task of each model is expected to serve over the next four weeks, and how far off that has been."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from transforms.economics.completeness import requests_by_day, unknown_days
from transforms.economics.forecast.backtest import HORIZON, LEAST_HISTORY
from transforms.economics.forecast.demand_states import ALL_MODELS
from transforms.economics.forecast.prediction_interval import MOST_SIGMA, P90, daily_medians, spread_of_window
from transforms.task_mix import recent_shares
from warehouse.schemas.economics import TaskDemand

_MOST_FOLDS, _LEAST_FOLDS = 12, 3
_KEY: Final = ("model_id", "task")
_DAY, _FOUR_WEEKS = timedelta(days=1), timedelta(days=HORIZON)
_THOUSANDTHS: Final = 1000


class Origin(NamedTuple):
    """A day on which the four weeks from it are forecast, from what was known of the days before `unknown_from`."""

    known_on: date
    unknown_from: date

    def touches(self, day: date) -> bool:
        """Whether a day is one of the four weeks forecast, or of the four that their shares are taken from."""
        is_ahead = self.known_on <= day < self.known_on + _FOUR_WEEKS
        return is_ahead or self.unknown_from - _FOUR_WEEKS <= day < self.unknown_from


def task_demand(
    task_days: pl.DataFrame,
    production_units: pl.DataFrame,
    demand_states: pl.DataFrame,
    demand_forecast: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One task of one model over the next four weeks: its recent share of the forecast of its model.

    The spread of the weekly shares is added to that of the model. What the same would have said on the first of each of
    the last twelve months, from the state and the shares known then, is compared with what came.
    """
    as_of = settings["as_of"].item()
    is_served = pl.col("quantity").is_in(["tokens", "units"]) & (pl.col("model_id") != ALL_MODELS)
    states = demand_states.filter(is_served, pl.col("known_on") <= as_of + _DAY).sort("known_on", "model_id")
    past_days = task_days.filter(pl.col("day") <= as_of)
    *past, now = _origins(states, past_days, as_of + _DAY)
    served = _served(past_days, production_units, min(origin.unknown_from for origin in (*past, now)) - _FOUR_WEEKS)
    rows = _expected(served, _ahead(states, demand_forecast, now), now)
    units = production_units.select("model_id", "production_unit")
    errors = [_compared(served, states, origin) for origin in past]
    demand = rows.join(units, on="model_id").join(_accuracy(errors), on=_KEY, how="left", nulls_equal=True)
    return TaskDemand.frame(_labelled(demand.with_columns(as_of=pl.lit(as_of))).sort(_KEY, nulls_last=True))


def _origins(states: pl.DataFrame, past_days: pl.DataFrame, now: date) -> list[Origin]:
    """The last past ones whose eight weeks are all known, and that of the night."""
    unseen = states.group_by("known_on").agg(pl.col("unseen_days").max()).sort("known_on")
    every = [Origin(day, day - timedelta(days=days)) for day, days in unseen.iter_rows()]
    latest = every[-1] if every and every[-1].known_on == now else Origin(now, now)
    over = [origin for origin in every if origin.known_on + _FOUR_WEEKS <= latest.unknown_from][-_MOST_FOLDS:]
    gaps = _unknown(past_days, now)
    return [*(origin for origin in over if not any(map(origin.touches, gaps))), latest]


def _unknown(past_days: pl.DataFrame, now: date) -> list[date]:
    """The days that nobody has told of though requests had come daily."""
    request_days = requests_by_day(past_days.filter(pl.col("requests") > 0).select("day", "requests").unique("day"))
    first = request_days["day"].min()
    if not isinstance(first, date):
        return []
    missing = np.flatnonzero(unknown_days(request_days, first, (now - first).days))
    return [first + timedelta(days=int(day_number)) for day_number in missing]


def _served(past_days: pl.DataFrame, production_units: pl.DataFrame, first: date) -> pl.DataFrame:
    """One day of one task, unit and model from `first` on: thousandths of what the model's production is counted in."""
    units = production_units.select("model_id", "production_unit", main_unit="unit_name")
    amount = (
        pl.when(pl.col("production_unit") == "tokens")
        .then(pl.col("tokens") * _THOUSANDTHS)
        .when(pl.col("unit_name") == pl.col("main_unit"))
        .then((pl.col("units") * _THOUSANDTHS).round().cast(pl.Int64))
    )
    rows = past_days.filter(pl.col("day") >= first).join(units, on="model_id")
    return rows.select("day", *_KEY, "tokens", weight=amount).filter(pl.col("weight") > 0)


def _ahead(states: pl.DataFrame, demand_forecast: pl.DataFrame, now: Origin) -> pl.DataFrame:
    """One model as known now: its state, and the sum of its forecast over the four weeks, as far as it serves."""
    days = demand_forecast.filter(pl.col("day").is_between(now.known_on, now.known_on + _FOUR_WEEKS, closed="left"))
    sums = days.sort("day").group_by("model_id", "quantity").agg(model_p50=pl.col("expected_p50").sum(), days=pl.len())
    return states.filter(pl.col("known_on") == now.known_on).join(sums, on=["model_id", "quantity"])


def _expected(served: pl.DataFrame, models: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """One task of one model: what is expected of it in the days ahead of the model, and how wide that is.

    A share with the standard deviation s around m has a logarithm with the variance ln(1 + (s/m)²).
    """
    first = (models["unseen_days"] + 1).to_numpy().astype(np.float64)
    widths = spread_of_window(models["sigma"].to_numpy(), first, first + models["days"].to_numpy() - 1)
    model_demand = models.select("model_id", "method", "days", "model_p50", width=pl.Series(widths, dtype=pl.Float64))
    wobble = (1 + (pl.col("share_sigma") / pl.col("share_ratio")) ** 2).log()
    sigma = (pl.col("width") ** 2 + wobble).sqrt().clip(upper_bound=MOST_SIGMA)
    median, factor = pl.col("model_p50") * pl.col("share_ratio"), (P90 * pl.col("sigma")).exp()
    shares = (
        recent_shares(served, origin.unknown_from - _DAY).join(model_demand, on="model_id").with_columns(sigma=sigma)
    )
    return shares.with_columns(
        recent=pl.col("weight") / _THOUSANDTHS,
        expected_p10=median / factor, expected_p50=median, expected_p90=median * factor,
    ).drop("tokens", "weight")  # fmt: skip


def _compared(served: pl.DataFrame, states: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """One task of one model with four weeks of history before a past origin: what was expected there, and what came."""
    origin_states = states.filter(pl.col("known_on") == origin.known_on, pl.col("history_days") >= LEAST_HISTORY)
    ahead = origin_states["unseen_days"].to_numpy()[:, None] + np.arange(1.0, HORIZON + 1)
    medians = daily_medians(origin_states, origin.known_on, ahead).sum(axis=1) if len(origin_states) else np.zeros(0)
    models = origin_states.with_columns(model_p50=pl.Series(medians, dtype=pl.Float64), days=pl.lit(HORIZON))
    weeks = pl.col("day").is_between(origin.known_on, origin.known_on + _FOUR_WEEKS, closed="left")
    came = served.filter(weeks).group_by(_KEY).agg(came=pl.col("weight").sum() / _THOUSANDTHS)
    rows = _expected(served, models, origin).join(came, on=_KEY, how="left", nulls_equal=True)
    return rows.select(*_KEY, "recent", "expected_p10", "expected_p50", "expected_p90", pl.col("came").fill_null(0.0))


def _accuracy(errors: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One task of one model: how far past forecasts were off, in the mean of the four weeks in which it served."""
    if not errors:
        errors = [pl.DataFrame(schema=dict.fromkeys(_KEY, pl.String) | dict.fromkeys(_COMPARED, pl.Float64))]
    rows = pl.concat(errors).filter(pl.col("came") > 0)
    inside = pl.col("came").is_between("expected_p10", "expected_p90")
    return rows.group_by(_KEY, maintain_order=True).agg(
        folds=pl.len(),
        mape_ratio=(pl.col("expected_p50") / pl.col("came") - 1).abs().mean(),
        repeat_mape_ratio=(pl.col("recent") / pl.col("came") - 1).abs().mean(),
        coverage_ratio=inside.mean(),
    )


_COMPARED: Final = ("recent", "expected_p10", "expected_p50", "expected_p90", "came")


def _labelled(rows: pl.DataFrame) -> pl.DataFrame:
    """How each is known; a mean of one or two errors says nothing."""
    has_folds = pl.col("folds").fill_null(0) >= _LEAST_FOLDS
    is_short = pl.col("method") == "last_week"
    basis = pl.when(is_short).then(pl.lit("short_history")).when(has_folds).then(pl.lit("back_tested"))
    errors = pl.when(has_folds).then(pl.col("mape_ratio", "repeat_mape_ratio", "coverage_ratio"))
    return rows.with_columns(errors, pl.col("folds").fill_null(0), basis=basis.otherwise(pl.lit("few_folds")))
