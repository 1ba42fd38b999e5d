"""How each model's spend lies between pre-training, post-training and inference, today and at the end of service."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.spend.lineage_shares import ancestors
from transforms.economics.spend.thirds_projection import balance_columns, projection_columns, remaining_inference
from warehouse.schemas.economics import Thirds
from warehouse.vocabulary import PHASES

_SPENDS: Final = tuple(f"{phase}_usd" for phase in PHASES)
_TARGETS: Final = tuple(f"target_{phase}_ratio" for phase in PHASES)


def thirds(
    lifecycle_spend: pl.DataFrame,
    expected_service: pl.DataFrame,
    model_lives: pl.DataFrame,
    models: pl.DataFrame,
    two_phase_balance: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One model's balance between the three phases, realised and projected.

    A phase is its direct spend and what it inherited. A share of nothing has no finite penalty: penalty and distance
    are NULL then, and the verdict follows from the phase furthest over its target. The verdict is that of the projected
    life; `too_young` while P10 to P90 of the projected penalty lie on both sides of the dead band, where nothing was
    spent yet, and where a model still in service has no inference, or no week of it, to project from. A model on an
    adopted base compares post-training and inference alone, with their weights renormalised.

    The penalty is exact where quality is a product of powers alone; beside it stands what the night's law says that
    training and serving cost beyond its optimum for the same loss and demand. A model that is optimal there is not out
    of balance by a heuristic: `is_law_optimal` says so.
    """
    realised = _realised(lifecycle_spend, model_lives, models, settings)
    rows = realised.with_columns(**balance_columns(realised.select(_SPENDS), realised.select(_TARGETS)))
    ahead = remaining_inference(rows, expected_service, settings)
    projected = rows.with_columns(**projection_columns(rows.select(_SPENDS), rows.select(_TARGETS), ahead))
    band = settings["dead_band_ratio"].item()
    judged = projected.with_columns(status=_status(band)).join(
        two_phase_balance.select("model_id", "law_excess_ratio"), on="model_id", how="left", maintain_order="left"
    )
    return Thirds.frame(judged.with_columns(is_law_optimal=pl.col("law_excess_ratio") <= band))


def _status(dead_band: float) -> pl.Expr:
    """Without bound is beyond any band: a NULL penalty beside known inference counts as infinite."""
    is_known = pl.col("projected_inference_usd_p50").is_not_null() & pl.col("heavy_phase").is_not_null()
    low, high = (pl.col(f"projected_penalty_ratio_{p}").fill_null(float("inf")) for p in ("p10", "p90"))
    return (
        pl.when("lacks_own").then(pl.lit("no_own_pretraining"))
        .when(~is_known).then(pl.lit("too_young"))
        .when(high <= dead_band).then(pl.lit("balanced"))
        .when(low <= dead_band).then(pl.lit("too_young"))
        .otherwise(pl.concat_str("heavy_phase", pl.lit("_heavy")))
    )  # fmt: skip


def _realised(
    lifecycle_spend: pl.DataFrame, model_lives: pl.DataFrame, models: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One model: exact spend by phase, target, age, whether it has retired and on what base it stands."""
    as_of = settings["as_of"].item()
    spent = pl.col("direct_usd") + pl.col("inherited_usd")
    phases = lifecycle_spend.group_by("model_id").agg(
        spent.filter(pl.col("phase") == phase).sum().alias(column)
        for phase, column in zip(PHASES, _SPENDS, strict=True)
    )
    start = pl.coalesce("released_on", "first_served_on")
    return (
        phases.join(bases(models), on="model_id", how="left")
        .join(model_lives, on="model_id", how="left")
        .with_columns(
            as_of=pl.lit(as_of),
            is_retired=(pl.col("retires_on") <= as_of).fill_null(value=False),
            age_days=pl.when(start <= as_of).then((pl.lit(as_of) - start).dt.total_days()),
            lacks_own=_lacks_own(),
        )
        .with_columns(_targets(settings))
        .sort("model_id")
    )


def _targets(settings: pl.DataFrame) -> list[pl.Expr]:
    """The target's weights as shares; without a pre-training of its own the other two are renormalised."""
    weights = [float(settings[f"{phase}_weight"].item()) for phase in PHASES]
    whole = [weight / sum(weights) for weight in weights]
    rest = [0.0, *(weight / sum(weights[1:]) for weight in weights[1:])]
    return [
        pl.when("lacks_own").then(two).otherwise(three).alias(name)
        for name, two, three in zip(_TARGETS, rest, whole, strict=True)
    ]


def _lacks_own() -> pl.Expr:
    descends = (pl.col("base") == "descends") & (pl.col(_SPENDS[0]) <= 0)
    return ((pl.col("base") == "adopted") | descends).fill_null(value=False)


def bases(models: pl.DataFrame) -> pl.DataFrame:
    """One model and its base: `own`, `adopted` itself, or it `descends` from a model that is.

    A base_model_id that is no model of the company is a base from outside, hence adopted.
    """
    parents = dict(models.select("model_id", "base_model_id").iter_rows())
    adopted = set(models.filter(pl.col("origin") == "adopted")["model_id"])
    lines = ancestors(models)
    descends = {
        model for model, line in lines.items() if adopted & set(line) or parents[[model, *line][-1]] is not None
    }
    words = ["adopted" if model in adopted else "descends" if model in descends else "own" for model in lines]
    return pl.DataFrame({"model_id": list(lines), "base": words}, schema={"model_id": pl.String, "base": pl.String})
