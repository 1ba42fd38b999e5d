"""Runs as logged become runs with a pool, a model, a phase and a team."""

from __future__ import annotations

import polars as pl

from transforms.attribution import first_rules
from transforms.money import divided
from warehouse.schemas.staging import TrainingRuns

PLAIN_FIELDS = ("run_name", "project", "cluster")


def training_runs(run_rows: pl.DataFrame, attribution: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One training run: pool from the first rule for pools, model, phase and team from the first for models."""
    runs = _censored(_once(run_rows), settings)
    fields = _fields(runs)
    pools = first_rules(fields, attribution.filter(pl.col("target") == "pool"))
    models = first_rules(fields, attribution.filter(pl.col("target") == "model"))
    attributed = (
        runs.rename({"team": "logged_team"})
        .join(pools.select(run_id="subject", pool_id="target_id"), on="run_id", how="left")
        .join(models.select("phase", "team", run_id="subject", model_id="target_id"), on="run_id", how="left")
        .with_columns(pl.coalesce("team", "logged_team").alias("team"))
    )
    return TrainingRuns.frame(attributed).sort("run_id")


def _once(run_rows: pl.DataFrame) -> pl.DataFrame:
    """One row per run: of several the one that tells most, so that no order of files matters."""
    most = ["steps", "held_to", "ended_at"]
    told = run_rows.sort("file_sha256", "location").sort(most, descending=True, nulls_last=True, maintain_order=True)
    return told.unique("run_id", keep="first", maintain_order=True)


def _censored(runs: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Runs that began before the night's end, as they stood then: a run that goes on is censored at the night."""
    night_end = settings["night_end"].item()
    first = pl.coalesce("started_at", "held_from")
    begun = runs.filter(first.is_null() | (first < night_end))
    has_begun = pl.col("started_at").is_not_null()
    outlasts = pl.col("ended_at") > night_end
    goes_on = has_begun & (pl.col("ended_at").is_null() | outlasts)
    is_open = goes_on & (outlasts.fill_null(value=False) | (pl.col("status") == "unknown"))
    ended = pl.when(goes_on).then(pl.lit(night_end)).otherwise("ended_at")
    last = pl.coalesce("held_to", ended)
    held_to = pl.when(last > night_end).then(pl.lit(night_end)).otherwise(last)
    seconds = divided((ended - pl.col("started_at")).dt.total_microseconds(), 1_000_000) * pl.col("gpu_count")
    return begun.with_columns(
        ended.alias("ended_at"),
        pl.when(goes_on).then(pl.lit("censored")).otherwise("end_source").alias("end_source"),
        pl.when(is_open).then(pl.lit("running")).otherwise("status").alias("status"),
        pl.coalesce("held_from", "started_at").alias("held_from"),
        held_to.alias("held_to"),
        pl.when(goes_on).then(seconds).otherwise(pl.coalesce("gpu_seconds", seconds)).alias("gpu_seconds"),
    )


def _fields(runs: pl.DataFrame) -> pl.DataFrame:
    """The fields of each run that rules may name; a run on several hosts has the field `host` several times."""
    dated = runs.with_columns(pl.coalesce("started_at", "held_from").dt.date().alias("day"))
    keys = [pl.col("run_id").alias("subject"), pl.col("source"), pl.col("day")]
    plain = [dated.select(*keys, pl.lit(name).alias("field"), pl.col(name).alias("value")) for name in PLAIN_FIELDS]
    hosts = dated.select(*keys, pl.lit("host").alias("field"), pl.col("hosts").alias("value")).explode("value")
    return pl.concat([*plain, hosts])
