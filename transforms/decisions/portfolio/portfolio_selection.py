"""Which alternatives are asked for together, so that no saving is counted twice.

All savings of a model come out of what serving it costs. A model is therefore either changed as a whole (retrained,
tuned, retired), or some of its tasks are moved, each once; whichever is worth more in the mean, which adds up. A model
that takes traffic over is not itself retired, and nothing moves to a model that is. Idle cost that leaves with the
tokens of a model is not released a second time with its pool.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.decisions.dollars import in_cents

TASK_ACTIONS: Final = ("route", "distil")
POOL_ACTION: Final = "release_capacity"
_WORTH: Final = "expected_value_usd"
_SCALED: Final = (
    "monthly_saving_usd_p10",
    "monthly_saving_usd_p50",
    "monthly_saving_usd_p90",
    "net_present_value_usd_p10",
    "net_present_value_usd_p50",
    "net_present_value_usd_p90",
    "net_present_value_usd_mean",
    "expected_value_usd",
)
_ORDER: Final = ("model_id", "task", "pool_id", "deployment_id", "action", "target_model_id", "target_params")


def best_first(candidates: pl.DataFrame) -> pl.DataFrame:
    """Candidates in order of their mean value, the unvalued last."""
    return candidates.sort(_WORTH, *_ORDER, descending=[True] + [False] * len(_ORDER), nulls_last=True)


def chosen(candidates: pl.DataFrame, serving_states: pl.DataFrame, materiality_usd: float) -> pl.DataFrame:
    """The alternatives to recommend, as rows of candidates."""
    eligible = best_first(candidates.filter("is_eligible"))
    models = _without_conflicts(_by_model(eligible.filter(pl.col("action") != POOL_ACTION)))
    return pl.concat([models, _pools(eligible, models, serving_states, materiality_usd)])


def _by_model(eligible: pl.DataFrame) -> pl.DataFrame:
    """The better of the best change of each model as a whole and the best moves of its tasks."""
    is_task = pl.col("action").is_in(TASK_ACTIONS)
    kinds = eligible.with_columns(kind=pl.when(~is_task).then("action").otherwise(pl.lit("moves")))
    kinds = kinds.unique(["model_id", "kind", "task", "deployment_id"], keep="first", maintain_order=True)
    worth = kinds.group_by("model_id", "kind").agg(pl.col(_WORTH).cast(pl.Float64).sum().alias("worth"))
    best = worth.sort("model_id", "worth", "kind", descending=[False, True, False]).unique("model_id", keep="first")
    return kinds.join(best.select("model_id", "kind"), on=["model_id", "kind"], maintain_order="left").drop("kind")


def _without_conflicts(picked: pl.DataFrame) -> pl.DataFrame:
    """The most valuable first: a target stays in service, and a retired model is no target."""
    kept, targets, retired = [], set[str](), set[str]()
    rows = best_first(picked).with_row_index("line")
    for line, model_id, action, target in rows.select("line", "model_id", "action", "target_model_id").iter_rows():
        if target in retired or (action == "retire" and model_id in targets):
            continue
        kept.append(line)
        targets |= {target} if target else set()
        retired |= {model_id} if action == "retire" else set()
    return rows.filter(pl.col("line").is_in(kept)).drop("line")


def _pools(
    eligible: pl.DataFrame, models: pl.DataFrame, serving_states: pl.DataFrame, materiality_usd: float
) -> pl.DataFrame:
    """Releases of pools, less the idle cost that chosen moves have already taken out of the pool."""
    homes = serving_states.sort("model_id", "requests", "deployment_id", descending=[False, True, False])
    homes = homes.unique("model_id", keep="first", maintain_order=True).select("model_id", home="pool_id")
    claimed = (
        models.join(homes, on="model_id")
        .group_by(pool_id="home")
        .agg(claimed=pl.col("monthly_idle_saving_usd_p50").cast(pl.Float64).sum().clip(0))
    )
    saving = pl.col("monthly_saving_usd_p50").cast(pl.Float64)
    left = ((saving - pl.col("claimed").fill_null(0)) / saving).alias("left")
    releases = (
        eligible.filter(pl.col("action") == POOL_ACTION).join(claimed, on="pool_id", how="left").with_columns(left)
    )
    scaled = releases.filter(saving * pl.col("left") >= materiality_usd).with_columns(
        in_cents(pl.col(name).cast(pl.Float64) * pl.col("left")).alias(name) for name in _SCALED
    )
    return scaled.with_columns(reason=_left_words(scaled)).select(models.columns)


def _left_words(releases: pl.DataFrame) -> pl.Series:
    """The reason of a release, and what of it other cards have counted already."""
    columns = ("monthly_saving_usd_p50", "claimed", "reason")
    return pl.Series(
        [
            f"saves {saving:,.0f} a month beyond the {claimed:,.0f} that other cards take out of the pool"
            if claimed
            else reason
            for saving, claimed, reason in releases.select(columns).iter_rows()
        ],
        dtype=pl.String,
    )
