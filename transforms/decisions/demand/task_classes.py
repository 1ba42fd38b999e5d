"""Which work recurs and could live on a small model, and which should stay on a large one."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.decisions.dollars import in_cents
from warehouse.schemas.decisions import TaskClasses

# What the field calls a small language model: under ten billion parameters, to run on one device.
SMALL_PARAMS: Final = 10e9
# A defined task comes every week in much the same share, and its answers are of like length.
_LEAST_STATIONARY: Final = 0.7
_MOST_VARIATION: Final = 1.0
_RECENT_DAYS: Final = 28
_KEY: Final = ("model_id", "task")


def task_classes(
    settings: pl.DataFrame,
    task_shares: pl.DataFrame,
    token_usage: pl.DataFrame,
    positions: pl.DataFrame,
    candidates: pl.DataFrame,
) -> pl.DataFrame:
    """One task of one model with its share of the bill, its kind, and whether a small model serves it or could.

    Work without a label is open-ended: nobody can say that a small model would do.
    """
    as_of = settings.item(0, "as_of")
    places = positions.select("model_id", "active_params", "monthly_inference_usd")
    unlabelled = task_shares.filter(pl.col("task").is_null()).select("model_id", unlabelled_ratio="share_ratio")
    cost = pl.col("monthly_inference_usd").cast(pl.Float64) * pl.col("share_ratio")
    steady = (1 - pl.col("share_sigma") / pl.col("share_ratio")).clip(0, 1)
    rows = (
        task_shares.filter(pl.col("share_ratio") > 0)
        .join(places, on="model_id")
        .join(unlabelled, on="model_id", how="left")
        .join(_lengths(token_usage, settings), on=_KEY, how="left", nulls_equal=True)
        .join(_small_models(candidates, positions), on=_KEY, how="left", nulls_equal=True)
        .with_columns(
            pl.col("unlabelled_ratio").fill_null(0.0),
            stationary_ratio=pl.when(pl.col("weeks") > 1).then(steady).otherwise(0.0),
            monthly_inference_usd=in_cents(cost),
        )
    )
    classed = rows.with_columns(as_of=pl.lit(as_of), task_class=_class()).with_columns(standing=_standing())
    return TaskClasses.frame(classed.sort(_KEY, nulls_last=True))


def _class() -> pl.Expr:
    is_alike = pl.col("length_variation_ratio").is_null() | (pl.col("length_variation_ratio") <= _MOST_VARIATION)
    is_defined = pl.col("task").is_not_null() & (pl.col("stationary_ratio") >= _LEAST_STATIONARY) & is_alike
    return pl.when(is_defined).then(pl.lit("defined")).otherwise(pl.lit("open_ended"))


def _standing() -> pl.Expr:
    return (
        pl.when(pl.col("active_params") < SMALL_PARAMS)
        .then(pl.lit("on_small_model"))
        .when(pl.col("task_class") == "open_ended")
        .then(pl.lit("stays"))
        .when(pl.col("is_measured"))
        .then(pl.lit("movable_measured"))
        .when(pl.col("small_model_id").is_not_null())
        .then(pl.lit("movable_unmeasured"))
        .otherwise(pl.lit("stays"))
    )


def _lengths(token_usage: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: spread of the output of a request over the hours of four weeks, over its mean."""
    age = (pl.lit(settings.item(0, "as_of")) - pl.col("hour").dt.date()).dt.total_days()
    recent = token_usage.filter(
        age.is_between(0, _RECENT_DAYS - 1), pl.col("requests_with_usage") > 0, pl.col("model_id").is_not_null()
    )
    hourly = recent.group_by(*_KEY, "hour").agg(pl.col("output_tokens", "requests_with_usage").sum())
    hourly = hourly.sort(*_KEY, "hour", nulls_last=True)  # sums of floats depend on their order in the last digit
    length = pl.col("output_tokens") / pl.col("requests_with_usage")
    weight = pl.col("requests_with_usage")
    mean = (length * weight).sum() / weight.sum()
    variance = ((length - mean) ** 2 * weight).sum() / weight.sum()
    return hourly.group_by(_KEY).agg(length_variation_ratio=pl.when(mean > 0).then(variance.sqrt() / mean))


def _small_models(candidates: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """One task of one model: the small model of its best move; what was measured and is not asked for did not pass."""
    sizes = positions.select(target_model_id="model_id", target_size="active_params")
    size = pl.coalesce("target_size", "target_params")
    moves = (
        candidates.filter(
            pl.col("action").is_in(["route", "distil"]), pl.col("net_present_value_usd_p50").is_not_null()
        )
        .join(sizes, on="target_model_id", how="left")
        .filter(~pl.col("is_measured") | pl.col("is_eligible"))
    )
    small = moves.filter(size < SMALL_PARAMS).with_columns(
        is_passed=pl.col("is_measured"), small_model_id=pl.coalesce("target_model_id", pl.lit("to be trained"))
    )
    ranked = small.sort("is_passed", "net_present_value_usd_p50", "small_model_id", descending=[True, True, False])
    best = ranked.unique(_KEY, keep="first", maintain_order=True)
    return best.select(*_KEY, "small_model_id", is_measured="is_passed")
