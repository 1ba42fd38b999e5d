"""What was weighed and is not asked for, and the models that need nothing: each with the code of its reason."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from warehouse.schemas.reports import HeldModels, RejectedAlternatives

SUBJECT: Final = ("model_id", "task", "pool_id", "action", "target_model_id", "target_params")
_ALTERNATIVE: Final = [*SUBJECT, "deployment_id"]
NOT_DECIDED: Final = ("retired", "too_young")
Row = dict[str, Any]


def rejected_alternatives(
    candidates: pl.DataFrame, portfolio: pl.DataFrame, recommendations: pl.DataFrame
) -> pl.DataFrame:
    """One valued alternative that is not recommended, the most valuable first.

    Its code is the verdict of the decision. One that pays by itself waits for a card that excludes it, is worth too
    little after the cards before it, or is worth less than what is recommended for the same model or pool. What is
    recommended is no alternative to itself, though it may be worth more before other decisions took a part of it.
    """
    subject = ["model_id", "task", "pool_id", "action"]
    asked = recommendations.filter(pl.col("action") != "hold")
    same = asked.select(*subject, asked_usd="net_present_value_usd_p50")
    decided = (
        portfolio.filter(~pl.col("is_asked"), pl.col("position") > 0)
        .select(
            *_ALTERNATIVE,
            after=pl.when(pl.col("depends_on").is_null()).then(pl.lit("worth_too_little")).otherwise(pl.lit("waits")),
        )
        .unique(_ALTERNATIVE, keep="first", maintain_order=True)
    )
    code = (
        pl.when(pl.col("reason_code") != "pays")
        .then("reason_code")
        .otherwise(pl.coalesce("after", pl.lit("worth_less")))
    )
    rows = (
        candidates.drop_nulls("monthly_saving_usd_p50")
        .join(same, on=subject, how="left", nulls_equal=True)
        .filter(pl.col("asked_usd").is_null() | (pl.col("net_present_value_usd_p50") != pl.col("asked_usd")))
        .join(decided, on=_ALTERNATIVE, how="left", nulls_equal=True)
        .with_columns(code=code)
        .filter(~(pl.col("asked_usd").is_not_null() & _is_remainder()))
        .join(asked.select(SUBJECT), on=SUBJECT, how="anti", nulls_equal=True)
        .sort("net_present_value_usd_p50", *SUBJECT, descending=[True, *(False for _ in SUBJECT)], nulls_last=True)
    )
    return RejectedAlternatives.frame(rows.with_row_index("position", offset=1))


def _is_remainder() -> pl.Expr:
    """Whether it is the recommended action itself before other decisions took a part of its saving."""
    return pl.col("action").is_in(["release_capacity", "distil", "route", "tune_serving", "retire"])


def held_models(
    band_verdicts: pl.DataFrame, recommendations: pl.DataFrame, rejected_alternatives: pl.DataFrame
) -> pl.DataFrame:
    """One model without a decision, and why it needs none: its state, or the best alternative and what it lacks."""
    asked = recommendations.filter(pl.col("action") != "hold")["model_id"].drop_nulls()
    best = rejected_alternatives.filter(pl.col("model_id").is_not_null()).unique(
        "model_id", keep="first", maintain_order=True
    )
    state = pl.col("state")
    code = (
        pl.when(state.is_in(NOT_DECIDED)).then(state)
        .when(pl.col("action").is_null()).then(pl.lit("nothing_valued"))
        .when(state == "balanced").then(pl.lit("inside_band"))
        .otherwise(pl.lit("nothing_pays"))
    )  # fmt: skip
    rows = (
        band_verdicts.filter(~pl.col("model_id").is_in(asked.implode()))
        .join(best.drop("position"), on="model_id", how="left")
        .with_columns(best_code="code")
        .with_columns(code=code)
        .sort("position")
    )
    return HeldModels.frame(rows.drop("position").with_row_index("position", offset=1))
