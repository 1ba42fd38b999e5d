"""What each model has to carry, month by month: training added, service delivered, and the way to parity."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.months import clipped, months_to, night_month
from transforms.economics.rounding import usd_from
from transforms.economics.spend.lineage_shares import TRAINING
from transforms.economics.spend.model_thirds import bases
from transforms.economics.sums import whole
from warehouse.schemas.economics import TrainingAssets
from warehouse.vocabulary import PHASES

_CELL: Final = ("month", "model_id")


def training_assets(
    models: pl.DataFrame,
    model_spend: pl.DataFrame,
    lineage_shares: pl.DataFrame,
    daily_service: pl.DataFrame,
    production_units: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One month of one model from the first month in which it has training to carry, without gaps to the night.

    Parity is where inference reaches its target share of the phases that are compared: target / (1 − target) times the
    training to date. On an adopted base only post-training is compared.
    """
    month = night_month(settings)
    spend = model_spend.with_columns(clipped(month))
    flows = _training(pl.concat([_own(spend), _lineage_flows(lineage_shares)]), models, settings)
    units = production_units.select("model_id", "production_unit")
    production = _production(daily_service, units)
    months = months_to(month, flows["month"], production["month"])
    rows = (
        months.join(flows.select("model_id").unique(), how="cross")
        .join(flows, on=_CELL, how="left")
        .join(_inference(spend), on=_CELL, how="left")
        .join(production, on=_CELL, how="left")
        .join(units, on="model_id", how="left")
    )
    return TrainingAssets.frame(_to_date(rows).sort(_CELL))


def _own(spend: pl.DataFrame) -> pl.DataFrame:
    """One month, model and phase of training it did itself: what it adds to the asset, and what it cost."""
    return spend.filter(pl.col("phase").is_in(TRAINING)).select(
        *_CELL, "phase", asset_usd=pl.col("direct_usd") - pl.col("waste_usd"), spent_usd="direct_usd"
    )


def _lineage_flows(lineage_shares: pl.DataFrame) -> pl.DataFrame:
    """One month, model and phase of what it took over from ancestors, and the same leaving them."""
    pair = ("ancestor_id", "model_id", "phase")
    passed = lineage_shares.filter(pl.col("ancestor_id") != pl.col("model_id")).sort("month")
    to_date = passed.with_columns(spent_usd=pl.col("training_usd") + pl.col("waste_usd"), asset_usd="training_usd")
    moved = to_date.with_columns(
        (pl.col(name) - pl.col(name).shift(1).fill_null(0).over(pair, order_by="month")).alias(name)
        for name in ("asset_usd", "spent_usd")
    )
    taken = moved.select(*_CELL, "phase", "asset_usd", "spent_usd")
    given = moved.select("month", pl.col("asset_usd", "spent_usd").neg(), "phase", model_id="ancestor_id")
    return pl.concat([taken, given.select(taken.columns)])


def _training(flows: pl.DataFrame, models: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One month and model: additions to its asset, the training that parity compares with, and the factor to parity.

    The factor is the target share of inference over what is left of one, as the thirds of the model have it.
    """
    pre, post, inference = (float(settings[f"{phase}_weight"].item()) for phase in PHASES)
    pretraining = pl.col("spent_usd").filter(pl.col("phase") == "pretraining").sum().over("model_id")
    lacks_own = (pl.col("base") == "adopted") | ((pl.col("base") == "descends") & (pretraining <= 0))
    rows = flows.join(bases(models), on="model_id", how="left").with_columns(lacks_own=lacks_own.fill_null(value=False))
    is_compared = ~pl.col("lacks_own") | (pl.col("phase") == "posttraining")
    return rows.group_by(_CELL).agg(
        pl.when(pl.col("lacks_own").first()).then(inference / post).otherwise(inference / (pre + post)).alias("factor"),
        additions_usd=pl.col("asset_usd").sum(),
        training_usd=pl.col("spent_usd").filter(is_compared).sum(),
    )


def _inference(spend: pl.DataFrame) -> pl.DataFrame:
    rows = spend.filter(pl.col("phase") == "inference").group_by(_CELL)
    return rows.agg(month_inference_usd=pl.col("direct_usd").sum())


def _production(daily_service: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    month = pl.col("day").dt.truncate("1mo").alias("month")
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    rows = daily_service.join(units, on="model_id", how="left")
    produced = pl.when(pl.col("production_unit") == "tokens").then(tokens).otherwise("units").alias("production")
    return rows.select(month, "model_id", produced).group_by(_CELL).agg(whole("production"))


def _to_date(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds running sums and drops the months before anything was there to carry."""
    money = ("additions_usd", "training_usd", "month_inference_usd")
    price = pl.col("month_inference_usd").cast(pl.Float64) / pl.col("production")
    has_price = (pl.col("production") > 0) & (pl.col("month_inference_usd") > 0)
    filled = rows.with_columns(pl.col(*money, "production").fill_null(0), pl.col("production_unit").fill_null("tokens"))
    summed = filled.sort("model_id", "month").with_columns(
        pl.col("training_usd").cum_sum().over("model_id"),
        pl.col("factor").max().over("model_id"),
        inference_usd=pl.col("month_inference_usd").cum_sum().over("model_id"),
        production_to_date=pl.col("production").cum_sum().over("model_id"),
        served_usd_per_unit=pl.when(has_price).then(price).forward_fill().over("model_id"),
        has_begun=(pl.col("additions_usd") != 0).cum_max().over("model_id"),
    )
    parity = summed.with_columns(parity_usd=pl.col("training_usd").cast(pl.Float64).clip(0) * pl.col("factor"))
    return parity.with_columns(usd_from("parity_usd")).filter("has_begun")
