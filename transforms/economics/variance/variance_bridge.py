"""What changed from one month to the next, and why: price, volume, mix, efficiency, one-off, restatement, other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from transforms.data_cutoff import compared_days, last_known_day
from transforms.economics.sums import gpu_time, whole
from transforms.economics.variance.month_over_month import beside_the_month_before
from transforms.economics.variance.price_volume_mix import served_drivers
from warehouse.schemas.economics import VarianceBridge
from warehouse.vocabulary import IDLE_ACCOUNTS

if TYPE_CHECKING:
    from datetime import date

_ENTITY: Final = ("account", "model_id", "phase")
_COST: Final = {"usd": pl.col("effective_usd").sum(), "gpu_seconds": gpu_time()}


def variance_bridge(
    daily_spend: pl.DataFrame,
    daily_service: pl.DataFrame,
    production_units: pl.DataFrame,
    demand_states: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One driver of the change of cost against the month before, of one account, model and phase.

    The drivers of a month add up to the change of all cost in scope, to the last decimal. Serving changes by volume,
    mix, efficiency and price; pre- and post-training are one-off; idle and unused capacity is efficiency; cost billed
    later than its month is restatement; the rest is other. A month is explained as far as both the requests and the
    bill have told of it, against the same days of the month before: `days` says how many; what stands on later days
    already is on neither side.
    """
    known_to = last_known_day(demand_states, settings)
    spent = _spent(daily_spend, settings)
    regular = beside_the_month_before(spent.filter(~pl.col("is_restated")), _ENTITY, _COST, known_to)
    restated = beside_the_month_before(spent.filter("is_restated"), _ENTITY, _COST, known_to)
    served = served_drivers(regular.filter(_is_serving()), _served(daily_service, production_units, known_to))
    parts = [
        served,
        _change(regular.filter(~_is_serving()), _driver()),
        _change(restated, pl.lit("restatement")),
    ]
    first = spent["day"].dt.truncate("1mo").min()
    has_before = pl.col("month") > pl.lit(first, dtype=pl.Date)
    whole_change = pl.concat([part.select("month", *_ENTITY, "driver", "change_usd") for part in parts])
    rows = whole_change.filter(has_before, pl.col("change_usd") != 0).with_columns(days=compared_days(known_to))
    return VarianceBridge.frame(rows.sort("month", *_ENTITY, "driver", nulls_last=True))


def _spent(daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Cost in scope to the night; what has no rate is not in it."""
    is_converted_in_scope = pl.col("effective_usd").is_not_null() & (pl.col("account") != "out_of_scope")
    rows = daily_spend.filter(is_converted_in_scope, pl.col("charge_date") <= settings["as_of"].item())
    return rows.with_columns(day=pl.col("charge_date"))


def _is_serving() -> pl.Expr:
    is_inference = (pl.col("account") == "direct") & (pl.col("phase") == "inference")
    return is_inference.fill_null(value=False) & pl.col("model_id").is_not_null()


def _driver() -> pl.Expr:
    return (
        pl.when(pl.col("account") == "direct").then(pl.lit("one_off"))
        .when(pl.col("account").is_in(IDLE_ACCOUNTS)).then(pl.lit("efficiency"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip


def _change(rows: pl.DataFrame, driver: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(driver=driver, change_usd=pl.col("after_usd") - pl.col("before_usd"))


def _served(daily_service: pl.DataFrame, production_units: pl.DataFrame, known_to: date) -> pl.DataFrame:
    """One month and model: tokens, or units, before and after."""
    units = production_units.select("model_id", "production_unit")
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    served = pl.when(pl.col("production_unit") == "tokens").then(tokens).otherwise("units")
    rows = daily_service.join(units, on="model_id", how="left").with_columns(served=served)
    return beside_the_month_before(rows, ("model_id", "production_unit"), {"served": whole("served")}, known_to)
