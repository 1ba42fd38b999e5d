"""What each model and task served each day, and what serving it cost."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.sums import whole
from warehouse.schemas.economics import DailyService, ProductionUnits, ServedDays, TaskDays

_KEY: Final = ("day", "model_id")
_COUNTS: Final = ("requests", "requests_with_usage", "input_tokens", "cached_input_tokens", "output_tokens")


def served_days(token_usage: pl.DataFrame) -> pl.DataFrame:
    """One day of one model and unit: requests, tokens and units; pending requests and those of no model left out."""
    sums = _finished(token_usage).group_by(*_KEY, "unit_name").agg(pl.col(_COUNTS).sum(), whole("units"))
    return ServedDays.frame(sums.sort(*_KEY, "unit_name", nulls_last=True))


def task_days(token_usage: pl.DataFrame) -> pl.DataFrame:
    """One day of one task of one model and unit: its requests and what they delivered, as the requests label it."""
    key = (*_KEY, "task", "unit_name")
    tokens = pl.sum_horizontal("input_tokens", "output_tokens").sum()
    sums = _finished(token_usage).group_by(key).agg(
        pl.col("requests", "weighted_tokens_milli").sum(), whole("units"), tokens=tokens
    )  # fmt: skip
    return TaskDays.frame(sums.sort(key, nulls_last=True))


def _finished(token_usage: pl.DataFrame) -> pl.DataFrame:
    attributed = token_usage.filter(pl.col("model_id").is_not_null(), pl.col("status") != "pending")
    return attributed.with_columns(day=pl.col("hour").dt.date())


def production_units(served_days: pl.DataFrame) -> pl.DataFrame:
    """One model and what its production is counted in: tokens, or the unit it delivers most of where it serves none.

    Images and seconds are never added; of units delivered alike, the first by name.
    """
    delivered = served_days.filter(pl.col("unit_name").is_not_null(), pl.col("units") > 0)
    sums = delivered.group_by("model_id", "unit_name").agg(whole("units"))
    order = sums.sort("model_id", "units", "unit_name", descending=[False, True, False])
    main = order.unique("model_id", keep="first", maintain_order=True).select("model_id", "unit_name")
    tokens = pl.sum_horizontal("input_tokens", "output_tokens").sum()
    rows = served_days.group_by("model_id").agg(tokens=tokens).join(main, on="model_id", how="left")
    unit = pl.when(pl.col("tokens") == 0).then("unit_name")
    return ProductionUnits.frame(
        rows.with_columns(production_unit=pl.coalesce(unit, pl.lit("tokens"))).sort("model_id")
    )


def daily_service(
    served_days: pl.DataFrame, production_units: pl.DataFrame, daily_spend: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One day of one model to the night: requests, tokens, units of its main unit and direct inference cost.

    Days on which a model neither served nor cost anything have no row.
    """
    as_of = settings["as_of"].item()
    units = production_units.select("model_id", "unit_name")
    served = _served(served_days, units).filter(pl.col("day") <= as_of)
    cost = _inference_cost(daily_spend).filter(pl.col("day") <= as_of)
    rows = served.join(cost, on=_KEY, how="full", coalesce=True).with_columns(
        pl.col(*_COUNTS, "units", "inference_usd").fill_null(0)
    )
    return DailyService.frame(rows.join(units, on="model_id", how="left").sort(_KEY))


def _served(served_days: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    rows = served_days.join(units.rename({"unit_name": "main_unit"}), on="model_id", how="left")
    is_main = pl.col("unit_name") == pl.col("main_unit")
    delivered = pl.when(is_main).then("units").otherwise(0.0).alias("units")
    return rows.with_columns(delivered).group_by(_KEY).agg(pl.col(_COUNTS).sum(), whole("units"))


def _inference_cost(daily_spend: pl.DataFrame) -> pl.DataFrame:
    rows = daily_spend.filter(
        pl.col("account") == "direct", pl.col("phase") == "inference", pl.col("model_id").is_not_null()
    )
    return rows.group_by(day="charge_date", model_id="model_id").agg(inference_usd=pl.col("effective_usd").sum())
