"""The size of each model, and what its teacher cost: a memo beside a student's own cost, never a part of it."""

from __future__ import annotations

import polars as pl

from warehouse.schemas.economics import TeacherCosts


def teacher_costs(
    models: pl.DataFrame, lifecycle_spend: pl.DataFrame, unit_costs: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One model: total and active parameters, and its teacher with the training and the price of its tokens.

    A student is cheap because somebody paid for its teacher. That money is the teacher's own, so it adds to nothing; it
    stands here so that nobody takes the price of a student for the price of making one from nothing.
    """
    training = (
        lifecycle_spend.filter(pl.col("phase") != "inference")
        .group_by(teacher_model_id="model_id")
        .agg(teacher_training_usd=(pl.col("direct_usd") + pl.col("inherited_usd")).sum())
    )
    priced = unit_costs.filter(pl.col("used_usd_per_mtok").is_not_null()).sort("month")
    prices = priced.group_by(teacher_model_id="model_id", maintain_order=True).agg(
        teacher_used_usd_per_mtok=pl.col("used_usd_per_mtok").last()
    )
    active = pl.coalesce("active_params", "params")
    rows = models.join(training, on="teacher_model_id", how="left").join(prices, on="teacher_model_id", how="left")
    sized = rows.with_columns(active_params=active, sparsity_ratio=pl.when(active > 0).then(pl.col("params") / active))
    return TeacherCosts.frame(sized.with_columns(as_of=pl.lit(settings["as_of"].item())).sort("model_id"))
