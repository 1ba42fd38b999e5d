"""What each model served each day, and what serving it cost."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.sums import whole
from warehouse.schemas.economics import DailyService

_KEY: Final = ("day", "model_id")
_COUNTS: Final = ("requests", "requests_with_usage", "input_tokens", "cached_input_tokens", "output_tokens")


def daily_service(token_usage: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One day of one model to the night: requests, tokens, units and direct inference cost.

    Requests still pending and requests of no known model are left out. Days on which a model neither served nor cost
    anything have no row.
    """
    as_of = settings["as_of"].item()
    served = _served(token_usage).filter(pl.col("day") <= as_of)
    cost = _inference_cost(daily_spend).filter(pl.col("day") <= as_of)
    rows = served.join(cost, on=_KEY, how="full", coalesce=True).with_columns(
        pl.col(*_COUNTS, "units", "inference_usd").fill_null(0)
    )
    names = rows.sort("unit_name", nulls_last=True).group_by("model_id").agg(pl.col("unit_name").first())
    return DailyService.frame(rows.drop("unit_name").join(names, on="model_id", how="left").sort(_KEY))


def _served(token_usage: pl.DataFrame) -> pl.DataFrame:
    known = token_usage.filter(pl.col("model_id").is_not_null(), pl.col("status") != "pending")
    usage = known.with_columns(day=pl.col("hour").dt.date()).join(_main_units(known), on="model_id", how="left")
    is_main = pl.col("unit_name") == pl.col("main_unit")
    return usage.with_columns(units=pl.when(is_main).then("units").otherwise(0.0)).group_by(_KEY).agg(
        pl.col(_COUNTS).sum(), whole("units"), pl.col("main_unit").first().alias("unit_name")
    )  # fmt: skip


def _main_units(known: pl.DataFrame) -> pl.DataFrame:
    """One model and the unit it delivers most of; images and seconds are never added."""
    units = known.filter(pl.col("unit_name").is_not_null(), pl.col("units") > 0)
    sums = units.group_by("model_id", "unit_name").agg(whole("units"))
    main = sums.sort("model_id", "units", "unit_name", descending=[False, True, False])
    return main.unique("model_id", keep="first", maintain_order=True).select("model_id", main_unit="unit_name")


def _inference_cost(daily_spend: pl.DataFrame) -> pl.DataFrame:
    rows = daily_spend.filter(
        pl.col("account") == "direct", pl.col("phase") == "inference", pl.col("model_id").is_not_null()
    )
    return rows.group_by(day="charge_date", model_id="model_id").agg(inference_usd=pl.col("effective_usd").sum())
