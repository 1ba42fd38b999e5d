"""Who carries an ancestor's training: the ancestor itself and the descendants that serve, by tokens served to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from transforms.economics.exact_shares import shared_out
from transforms.economics.months import clipped, months_to, night_month
from warehouse.schemas.economics import LineageShares

if TYPE_CHECKING:
    from collections.abc import Mapping

TRAINING: Final = ("pretraining", "posttraining")
_SPLIT: Final = ("month", "ancestor_id", "phase")


def lineage_shares(
    models: pl.DataFrame, model_spend: pl.DataFrame, daily_service: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One month-end, ancestor with descendants, heir and phase: the training to date that the heir carries.

    The key is the tokens that the ancestor and its descendants have each served to date; where none of them has served
    a token, the days each has been in service; where none has been, the ancestor keeps all. Parent and child never
    keep the same dollar: the parts of one ancestor, month and phase add up to its training exactly. A grandchild takes
    its part from the ancestor directly, so nothing is inherited twice.

    Raises:
        ValueError: when base_model_id leads in a circle.
    """
    descendants = _descendants(models)
    month = night_month(settings)
    spent = model_spend.filter(pl.col("phase").is_in(TRAINING)).with_columns(clipped(month))
    months = months_to(month, spent["month"])
    trained = _to_date(spent, months)
    parts = trained.rename({"model_id": "ancestor_id"}).join(descendants, on="ancestor_id", how="inner")
    keyed = _keyed(parts, _tokens_to_date(daily_service, months), models, settings)
    shares = shared_out(keyed, group=_SPLIT, order=("model_id",), amounts=("training_usd", "waste_usd"))
    return LineageShares.frame(shares.sort(*_SPLIT, "model_id"))


def ancestors(models: pl.DataFrame) -> dict[str, list[str]]:
    """Each model's line of parents, nearest first; a base that is no model of the company ends the line.

    Raises:
        ValueError: when base_model_id leads in a circle.
    """
    parents = dict(models.select("model_id", "base_model_id").iter_rows())
    return {model: _line(model, parents) for model in sorted(parents)}


def _line(model: str, parents: Mapping[str, str | None]) -> list[str]:
    path = [model]
    parent = parents[model]
    while parent is not None and parent in parents:
        if parent in path:
            circle = " → ".join([*path[path.index(parent) :], parent])
            raise ValueError(
                f"lineage leads in a circle: models.csv, base_model_id: {circle}; "
                "give each of these models the model it was really trained from, or leave it empty"
            )
        path.append(parent)
        parent = parents[parent]
    return path[1:]


def _descendants(models: pl.DataFrame) -> pl.DataFrame:
    """One ancestor with descendants and one heir of its training: itself or a descendant."""
    pairs = [(ancestor, model) for model, line in ancestors(models).items() for ancestor in line]
    own = [(ancestor, ancestor) for ancestor in sorted({ancestor for ancestor, _ in pairs})]
    return pl.DataFrame([*pairs, *own], schema={"ancestor_id": pl.String, "model_id": pl.String}, orient="row")


def _to_date(spent: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """One month-end, model and phase of training: what it has cost by then, waste apart."""
    sums = spent.group_by("month", "model_id", "phase").agg(pl.col("direct_usd", "waste_usd").sum())
    grid = months.join(sums.select("model_id", "phase").unique(), how="cross")
    rows = grid.join(sums, on=["month", "model_id", "phase"], how="left").with_columns(
        pl.col("direct_usd", "waste_usd").fill_null(0)
    )
    sums_to_date = rows.with_columns(
        pl.col("direct_usd", "waste_usd").cum_sum().over("model_id", "phase", order_by="month")
    )
    return sums_to_date.with_columns(training_usd=pl.col("direct_usd") - pl.col("waste_usd"))


def _tokens_to_date(daily_service: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """One month-end and model: tokens served by then."""
    month = pl.max_horizontal(pl.col("day").dt.truncate("1mo"), pl.lit(months.item(0, "month"))).alias("month")
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).sum().alias("tokens")
    served = daily_service.group_by(month, "model_id").agg(tokens)
    grid = months.join(served.select("model_id").unique(), how="cross")
    rows = grid.join(served, on=["month", "model_id"], how="left").with_columns(pl.col("tokens").fill_null(0))
    return rows.with_columns(pl.col("tokens").cum_sum().over("model_id", order_by="month"))


def _keyed(parts: pl.DataFrame, tokens: pl.DataFrame, models: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Adds the key of the split and its basis."""
    until = pl.min_horizontal(pl.col("month").dt.month_end(), pl.lit(settings["as_of"].item()), "retires_on")
    in_service = ((until - pl.col("released_on")).dt.total_days() + 1).clip(0).fill_null(0)
    rows = (
        parts.join(tokens, on=["month", "model_id"], how="left")
        .join(models.select("model_id", "released_on", "retires_on"), on="model_id", how="left")
        .with_columns(
            tokens=pl.col("tokens").fill_null(0), days=in_service, own=pl.col("model_id") == pl.col("ancestor_id")
        )
    )
    basis = (
        pl.when(pl.col("tokens").sum().over(_SPLIT) > 0).then(pl.lit("tokens"))
        .when(pl.col("days").sum().over(_SPLIT) > 0).then(pl.lit("service_days"))
        .otherwise(pl.lit("nobody"))
    )  # fmt: skip
    weight = pl.when(basis == "tokens").then("tokens").when(basis == "service_days").then("days").otherwise("own")
    return rows.with_columns(basis=basis, weight=weight.cast(pl.Int128), key=weight.cast(pl.Float64))
