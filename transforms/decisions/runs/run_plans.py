"""What kind of run each is, and how long it is to be: by its own log, by policy, or as runs of its kind were."""

from __future__ import annotations

from typing import Final

import polars as pl

KINDS: Final = ("pretraining", "sweep", "sft", "rl")
_PLANNED_STEPS: Final = ("planned_steps", "max_steps", "total_steps")
_PLANNED_TOKENS: Final = ("planned_tokens", "max_tokens", "total_tokens")
# Metrics that an RL run logs and no other, lowered; `reward_metric` picks the first of them.
REWARDS: Final = (
    "reward", "train/reward", "reward/mean", "rewards/mean", "mean_reward", "reward_mean", "train/reward_mean",
    "critic/rewards/mean", "env/reward", "rollout/ep_rew_mean", "pass_rate", "val/pass_rate", "train/pass_rate",
)  # fmt: skip
# A run of another size than its model is one of a sweep, whatever it is attributed to.
_OWN_SIZE: Final = (0.75, 1.33)


def run_plans(training_runs: pl.DataFrame, training_metrics: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """One run: its kind, and its planned tokens and steps with where each is known from.

    A run's own log comes first. A pre-training run of its model's size is as long as training_tokens in models.csv.
    Others are as long as the median finished run of the same model and kind, else of the same kind; a model's
    pre-training tokens say nothing of its SFT, its RL or the runs of a sweep.
    """
    named = training_metrics.with_columns(pl.col("name").str.to_lowercase())
    logged = named.group_by("run_id").agg(
        logged_steps=pl.col("value").filter(pl.col("name").is_in(_PLANNED_STEPS)).max(),
        logged_tokens=pl.col("value").filter(pl.col("name").is_in(_PLANNED_TOKENS)).max(),
        has_reward=pl.col("name").is_in(REWARDS).any(),
        last_step=pl.col("step").max(),
        last_tokens=pl.col("tokens").max(),
    )
    sizes = models.select("model_id", model_params="params", model_tokens="training_tokens")
    rows = training_runs.join(logged, on="run_id", how="left").join(sizes, on="model_id", how="left")
    kinds = rows.with_columns(
        kind=_kind(), ran_tokens=pl.coalesce("tokens", "last_tokens"), ran_steps=pl.coalesce("steps", "last_step")
    )
    is_over = (pl.col("status") == "finished") & (pl.col("kind") != "pretraining")
    for name in ("tokens", "steps"):
        over = pl.col(f"ran_{name}").filter(is_over)
        kinds = kinds.with_columns(
            over.median().over("model_id", "kind").alias(f"same_{name}"),
            over.median().over("kind").alias(f"kind_{name}"),
        )
    policy = pl.when(pl.col("kind") == "pretraining").then("model_tokens")
    return kinds.select(
        "run_id",
        "kind",
        planned_tokens=pl.coalesce("logged_tokens", policy, "same_tokens", "kind_tokens"),
        planned_steps=pl.coalesce("logged_steps", "same_steps", "kind_steps").cast(pl.Float64),
        tokens_basis=_basis(policy, "tokens"),
        steps_basis=_basis(pl.lit(None), "steps"),
    )


def _kind() -> pl.Expr:
    ratio = pl.col("params") / pl.col("model_params")
    is_other_size = ~ratio.is_between(*_OWN_SIZE)
    is_post = pl.col("phase") == "posttraining"
    return (
        pl.when(pl.col("has_reward") & is_post.fill_null(value=True))
        .then(pl.lit("rl"))
        .when(is_post)
        .then(pl.lit("sft"))
        .when(is_other_size)
        .then(pl.lit("sweep"))
        .otherwise(pl.lit("pretraining"))
    )


def _basis(policy: pl.Expr, name: str) -> pl.Expr:
    """Where the planned length comes from, the first that is known."""
    return (
        pl.when(pl.col(f"logged_{name}").is_not_null())
        .then(pl.lit("logged"))
        .when(policy.is_not_null())
        .then(pl.lit("models.csv"))
        .when(pl.col(f"same_{name}").is_not_null())
        .then(pl.lit("finished runs of its kind and model"))
        .when(pl.col(f"kind_{name}").is_not_null())
        .then(pl.lit("finished runs of its kind"))
        .otherwise(pl.lit("unknown"))
    )
