"""Where each model stands against the band today: decided once, for title, table, figure and sheet alike."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.reports import BandVerdicts
from warehouse.vocabulary import PHASES

UNJUDGED: Final = ("too_young", "no_own_pretraining")


def band_verdicts(
    settings: pl.DataFrame,
    subject: pl.DataFrame,
    thirds: pl.DataFrame,
    models: pl.DataFrame,
    lifecycle_spend: pl.DataFrame,
) -> pl.DataFrame:
    """One model with direct cost and its state of today; what the forecast expects is `projected_state`.

    A model is outside where its penalty is over the band or has no bound (a phase is empty). Its heavy phase is the one
    furthest over its target share: shares of 62, 17 and 21 % against thirds are heavy in pre-training, whatever the
    forecast says. A model that has retired is never judged: nothing about it can be changed any more.
    """
    row = settings.row(0, named=True)
    spend = pl.sum_horizontal(f"{phase}_usd" for phase in PHASES)
    is_retired = (pl.col("retires_on") <= row["as_of"]).fill_null(value=False)
    is_judged = ~is_retired & ~pl.col("status").is_in(UNJUDGED)
    is_outside = is_judged & (pl.col("penalty_ratio") > row["dead_band_ratio"]).fill_null(value=True)
    rows = (
        thirds.filter(pl.col("as_of") == subject["as_of"].item())
        .join(models.select("model_id", "retires_on"), on="model_id", how="left")
        .join(_overhead(lifecycle_spend, subject), on="model_id", how="left")
        .filter(spend != 0)
        .with_columns(is_retired=is_retired, is_judged=is_judged, is_outside=is_outside, spend=spend)
        .with_columns(
            state=pl.when("is_retired")
            .then(pl.lit("retired"))
            .when(pl.col("status").is_in(UNJUDGED))
            .then("status")
            .when(~pl.col("is_outside"))
            .then(pl.lit("balanced"))
            .otherwise(_heavy_state()),
            projected_state="status",
        )
    )
    rank = pl.when("is_outside").then(0).when("is_judged").then(1).when("is_retired").then(3).otherwise(2)
    ordered = rows.with_columns(rank=rank).sort(
        "rank",
        pl.when("is_outside").then("distance_usd").fill_null(pl.lit(0).cast(pl.Decimal(38, 12))),
        pl.when("is_judged").then("penalty_ratio").fill_null(-1.0),
        "spend",
        "model_id",
        descending=[False, True, True, True, False],
    )
    return BandVerdicts.frame(ordered.with_row_index("position", offset=1))


def _overhead(lifecycle_spend: pl.DataFrame, subject: pl.DataFrame) -> pl.DataFrame:
    """One model with its share of idle, unused and shared cost, in all its phases."""
    to_date = lifecycle_spend.filter(pl.col("as_of") == subject["as_of"].item())
    return to_date.group_by("model_id").agg(overhead_usd=(pl.col("idle_share_usd") + pl.col("shared_share_usd")).sum())


def _heavy_state() -> pl.Expr:
    """The phase furthest over its target share today; by amounts where credits leave no shares."""
    over = [
        (pl.col(f"{phase}_ratio") - pl.col(f"target_{phase}_ratio").fill_null(0.0)).fill_null(-2.0) for phase in PHASES
    ]
    most = pl.max_horizontal(over)
    states = [pl.lit(f"{phase}_heavy") for phase in PHASES]
    shared = pl.when(over[0] == most).then(states[0]).when(over[1] == most).then(states[1]).otherwise(states[2])
    amounts = [pl.col(f"{phase}_usd") for phase in PHASES]
    largest = pl.max_horizontal(amounts)
    spent = (
        pl.when(amounts[0] == largest).then(states[0]).when(amounts[1] == largest).then(states[1]).otherwise(states[2])
    )
    has_shares = pl.all_horizontal(pl.col(f"{phase}_ratio").is_not_null() for phase in PHASES)
    return pl.when(has_shares).then(shared).otherwise(spent)
