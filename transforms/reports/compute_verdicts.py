"""What page 7 says: models beside the law, runs that are going on, and work that a small model serves or could."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from warehouse.schemas.reports import TASK_STANDINGS, LawVerdicts, RunsInFlight, ServingBatches, TaskStandings
from warehouse.vocabulary import PHASES

NEAR: Final = 0.10
VERDICTS: Final = ("stop", "roll_back", "continue", "unknown")


def law_verdicts(
    scaling_evidence: pl.DataFrame, two_phase_balance: pl.DataFrame, thirds: pl.DataFrame, band_verdicts: pl.DataFrame
) -> pl.DataFrame:
    """One own model that has not retired, those that have cost most first.

    The direction is the law's: at the same loss the optimum of more demand is smaller and trained longer. A model that
    costs at most a tenth more than its optimum is near it, whatever its share of training is.
    """
    retired = band_verdicts.filter("is_retired").select("model_id")
    spent = thirds.select("model_id", spent=pl.sum_horizontal(f"{phase}_usd" for phase in PHASES))
    ratio, low, high = pl.col("demand_ratio"), pl.col("equal_from_ratio"), pl.col("equal_to_ratio")
    fits = ratio.is_between(low, high)
    rows = (
        two_phase_balance.join(
            scaling_evidence.select("as_of", "model_id", "tokens_per_param", "overtrain_ratio"),
            on=["as_of", "model_id"],
        )
        .join(retired, on="model_id", how="anti")
        .join(spent, on="model_id", how="left")
        .with_columns(
            verdict=pl.when(ratio.is_null())
            .then(pl.lit("demand_unknown"))
            .when(pl.col("law_excess_ratio") <= NEAR)
            .then(pl.lit("near_optimum"))
            .when(pl.col("optimum_tokens") > pl.col("tokens"))
            .then(pl.lit("smaller_longer"))
            .otherwise(pl.lit("larger_shorter")),
            fits_equal_split=fits,
            is_above=pl.when(~fits).then(ratio > high),
            beyond_ratio=pl.when(~fits & (ratio > 0)).then(
                pl.when(ratio > high).then(ratio / high).otherwise(low / ratio)
            ),
        )
        .sort(ratio.is_null(), pl.col("spent").fill_null(Decimal(0)), "model_id", descending=[False, True, False])
    )
    return LawVerdicts.frame(rows.with_row_index("position", offset=1))


def serving_batches(serving_regimes: pl.DataFrame) -> pl.DataFrame:
    """One model on one deployment; the GPUs of a shared deployment are not split here, so its loss is no model's."""
    models = pl.len().over("deployment_id")
    is_alone, zero = pl.col("models") == 1, pl.lit(0).cast(pl.Decimal(38, 12))
    rows = serving_regimes.with_columns(models=models.cast(pl.Int64)).with_columns(
        small_batches_usd=pl.when(is_alone & pl.col("batch_measured").is_not_null()).then("small_batches_usd"),
        latency_premium_usd=pl.when(is_alone).then("latency_premium_usd"),
    )
    ordered = rows.sort(
        ~is_alone, pl.col("small_batches_usd").fill_null(zero), "deployment_id", "model_id",
        descending=[False, True, False, False],
    )  # fmt: skip
    return ServingBatches.frame(ordered.with_row_index("position", offset=1))


def runs_in_flight(
    run_forecasts: pl.DataFrame, reward_forecasts: pl.DataFrame, training_runs: pl.DataFrame
) -> pl.DataFrame:
    """One run that is going on: RL runs by their reward, the others by their loss."""
    going = training_runs.filter(pl.col("status") == "running").select("run_id", "run_name")
    rewards = reward_forecasts.join(going.select("run_id"), on="run_id", how="semi").select(
        "run_id",
        kind=pl.lit("rl"),
        progress_ratio=pl.when(pl.col("planned_steps") > 0).then(pl.col("steps") / pl.col("planned_steps")).clip(0, 1),
        measured_by=pl.lit("reward"),
        current="reward",
        final_p10="asymptote_p10",
        final_p90="asymptote_p90",
        best_past=pl.lit(None, pl.Float64),
        remaining_usd="remaining_usd",
        verdict="verdict",
        reason_code="reason_code",
    )
    losses = run_forecasts.join(rewards, on="run_id", how="anti").select(
        "run_id",
        "kind",
        "progress_ratio",
        measured_by=pl.lit("loss"),
        current="loss",
        final_p10="final_loss_p10",
        final_p90="final_loss_p90",
        best_past="best_past_loss",
        remaining_usd="remaining_usd",
        verdict="verdict",
        reason_code="reason_code",
    )
    rows = (
        pl.concat([rewards, losses])
        .join(going, on="run_id", how="left")
        .with_columns(run_name=pl.coalesce("run_name", "run_id"))
    )
    order = pl.col("verdict").replace_strict({name: rank for rank, name in enumerate(VERDICTS)}, return_dtype=pl.Int8)
    ordered = rows.sort(order, "remaining_usd", "run_id", descending=[False, True, False], nulls_last=True)
    return RunsInFlight.frame(ordered.with_row_index("position", offset=1))


def task_standings(task_classes: pl.DataFrame) -> pl.DataFrame:
    """One place of work; what carries no label is named as such, and not as work that should stay."""
    where = (
        pl.when(pl.col("standing") != "stays")
        .then("standing")
        .when(pl.col("task").is_null())
        .then(pl.lit("unlabelled"))
        .when(pl.col("task_class") == "open_ended")
        .then(pl.lit("open_ended"))
        .otherwise(pl.lit("stays"))
    )
    largest = task_classes.with_columns(standing=where).sort(
        "monthly_inference_usd", "model_id", "task", descending=[True, False, False], nulls_last=True
    )
    grouped = largest.group_by("standing", maintain_order=True).agg(
        pl.col("monthly_inference_usd").sum(), pl.col("model_id", "task").first(), tasks=pl.len()
    )
    whole = float(grouped["monthly_inference_usd"].sum() or 0)
    if whole <= 0:
        return TaskStandings.empty()
    ranks = {name: rank for rank, name in enumerate(TASK_STANDINGS)}
    rows = grouped.with_columns(
        share_ratio=pl.col("monthly_inference_usd").cast(pl.Float64) / whole,
        tasks=pl.col("tasks").cast(pl.Int64),
    ).sort(pl.col("standing").replace_strict(ranks, return_dtype=pl.Int8))
    return TaskStandings.frame(rows.with_row_index("position", offset=1))
