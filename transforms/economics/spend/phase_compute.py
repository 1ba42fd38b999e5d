"""What each model and phase computed, and the price of it."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.compute import CHIPS, SERVING_FLOP_PER_PARAM, TRAINING_FLOP_PER_PARAM
from transforms.economics.sums import whole
from warehouse.schemas.economics import PhaseCompute
from warehouse.vocabulary import PHASES

_HOLDER: Final = ("model_id", "phase")
_SHAPE: Final = (*_HOLDER, "active_params")


def phase_compute(
    models: pl.DataFrame,
    training_runs: pl.DataFrame,
    daily_service: pl.DataFrame,
    model_spend: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One model and phase to the night: tokens, FLOP, realised price of a FLOP, and model FLOP utilisation.

    Runs tell the tokens of training; where none of a model's own pre-training does, models.csv may. What neither tells
    is NULL. Tokens served count as 2·N each whether read from a cache or not: an upper bound where caches are used.
    """
    runs = _sized(_counted(training_runs), models)
    rows = (
        _grid(models, model_spend, training_runs)
        .join(_trained(runs), on=_HOLDER, how="left")
        .join(_served(daily_service), on=_HOLDER, how="left")
        .join(_stated(models), on=_HOLDER, how="left")
        .join(_cost(model_spend), on=_HOLDER, how="left")
        .join(_mfu(runs), on=_HOLDER, how="left")
        .with_columns(
            tokens=pl.coalesce("run_tokens", "served_tokens", "stated_tokens"),
            compute_flop=pl.coalesce("run_flop", _flop("served_tokens"), _flop("stated_tokens")),
            tokens_basis=_basis(),
            as_of=pl.lit(settings["as_of"].item()),
        )
        .with_columns(pl.col("runs", "runs_without_tokens").fill_null(0), usd_per_flop=_price())
    )
    return PhaseCompute.frame(rows.sort(_HOLDER))


def _grid(models: pl.DataFrame, model_spend: pl.DataFrame, training_runs: pl.DataFrame) -> pl.DataFrame:
    """Every model of the policy, the ledger and the logs with every phase; its size where models.csv tells it."""
    names = pl.concat([models["model_id"], model_spend["model_id"], training_runs["model_id"]]).drop_nulls().unique()
    phases = pl.DataFrame({"phase": list(PHASES)}, schema={"phase": pl.String})
    return names.to_frame().join(_sizes(models), on="model_id", how="left").join(phases, how="cross")


def _sizes(models: pl.DataFrame) -> pl.DataFrame:
    return models.select("model_id", active_params=pl.coalesce("active_params", "params"))


def _counted(training_runs: pl.DataFrame) -> pl.DataFrame:
    """Runs with the tokens that are theirs alone: a parent's that its children log too are not counted twice."""
    children = training_runs.filter(pl.col("parent_run_id").is_not_null())
    logged = children.group_by(run_id="parent_run_id").agg(whole("tokens").alias("child_tokens"))
    return training_runs.join(logged, on="run_id", how="left").with_columns(
        own_tokens=(pl.col("tokens") - pl.col("child_tokens").fill_null(0)).clip(0)
    )


def _sized(runs: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Runs of a known model and phase with the size they trained: as logged, else as models.csv says."""
    attributed = runs.filter(pl.col("model_id").is_not_null(), pl.col("phase").is_not_null())
    stated = _sizes(models).rename({"active_params": "stated_params"})
    return attributed.join(stated, on="model_id", how="left").with_columns(
        active_params=pl.coalesce("active_params", "params", "stated_params")
    )


def _trained(runs: pl.DataFrame) -> pl.DataFrame:
    """One model and phase: tokens and FLOP of its runs; sums per size first, so that their order does not matter."""
    by_size = runs.group_by(_SHAPE).agg(
        whole("own_tokens"),
        has_tokens=pl.col("own_tokens").is_not_null().any(),
        runs=pl.len(),
        runs_without_tokens=pl.col("own_tokens").is_null().sum(),
    )
    tokens = pl.when("has_tokens").then(pl.col("own_tokens"))
    sized = by_size.with_columns(tokens=tokens, flop=TRAINING_FLOP_PER_PARAM * pl.col("active_params") * tokens)
    return sized.sort(_SHAPE).group_by(_HOLDER, maintain_order=True).agg(
        run_tokens=_complete_sum("tokens"), run_flop=_complete_sum("flop"), runs=pl.col("runs").sum(),
        runs_without_tokens=pl.col("runs_without_tokens").sum(),
    )  # fmt: skip


def _complete_sum(column: str) -> pl.Expr:
    """The sum of what is known; NULL where nothing is."""
    return pl.when(pl.col(column).is_not_null().any()).then(pl.col(column).sum())


def _served(daily_service: pl.DataFrame) -> pl.DataFrame:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).sum()
    sums = (
        daily_service.group_by("model_id")
        .agg(served_tokens=tokens.cast(pl.Float64))
        .filter(pl.col("served_tokens") > 0)
    )
    return sums.with_columns(phase=pl.lit("inference"))


def _stated(models: pl.DataFrame) -> pl.DataFrame:
    """Pre-training tokens as models.csv states them, of models whose pre-training the company did itself."""
    own = models.filter(pl.col("origin") == "own", pl.col("training_tokens").is_not_null())
    return own.select("model_id", phase=pl.lit("pretraining"), stated_tokens="training_tokens")


def _flop(tokens: str) -> pl.Expr:
    is_inference = pl.col("phase") == "inference"
    per_param = pl.when(is_inference).then(SERVING_FLOP_PER_PARAM).otherwise(TRAINING_FLOP_PER_PARAM)
    return per_param * pl.col("active_params") * pl.col(tokens)


def _basis() -> pl.Expr:
    words = {"run_tokens": "runs", "served_tokens": "requests", "stated_tokens": "models.csv"}
    return pl.coalesce(pl.when(pl.col(column).is_not_null()).then(pl.lit(word)) for column, word in words.items())


def _cost(model_spend: pl.DataFrame) -> pl.DataFrame:
    return model_spend.group_by(_HOLDER).agg(pl.col("direct_usd").sum())


def _price() -> pl.Expr:
    """USD per FLOP; only where runs or requests tell the FLOP, because stated tokens may have been paid elsewhere."""
    is_measured = pl.col("tokens_basis").is_in(["runs", "requests"]) & (pl.col("compute_flop") > 0)
    cost = pl.col("direct_usd").cast(pl.Float64)
    return pl.when(is_measured & (cost > 0)).then(cost / pl.col("compute_flop"))


def _mfu(runs: pl.DataFrame) -> pl.DataFrame:
    """Training alone: the chip that served a request is known to the bill, not to the request."""
    peaks = pl.DataFrame(
        [(name, chip.flop_per_s) for name, chip in CHIPS.items()],
        schema={"gpu_model": pl.String, "peak": pl.Float64}, orient="row",
    )  # fmt: skip
    with_peaks = runs.join(peaks, on="gpu_model", how="inner").filter(
        pl.col("gpu_seconds") > 0, pl.col("own_tokens") > 0
    )
    by_size = with_peaks.group_by(*_SHAPE, "peak").agg(whole("own_tokens"), whole("gpu_seconds")).sort(*_SHAPE, "peak")
    flop = (TRAINING_FLOP_PER_PARAM * pl.col("active_params") * pl.col("own_tokens")).sum()
    return by_size.group_by(_HOLDER, maintain_order=True).agg(
        mfu_ratio=flop / (pl.col("gpu_seconds") * pl.col("peak")).sum()
    )
