"""Runs as logged become attempts with a pool, a model, a phase and a team: when each run held which GPUs."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.attribution import first_rules
from transforms.money import divided
from transforms.staging.gpu_claims import exclusive_holdings
from transforms.staging.gpu_sets import gpu_sets
from transforms.staging.run_identity import identified, run_names
from warehouse.schemas.columns import INSTANT
from warehouse.schemas.staging import RunAttempts

PLAIN_FIELDS: Final = ("run_name", "project", "cluster")
_RUN: Final = ["run_source", "run"]


def run_attempts(run_rows: pl.DataFrame, attribution: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One uninterrupted time in which one run held GPUs; a log that held none of its own stands once, with 0 GPUs.

    Every GPU is held once: of attempts of one run, ranks of one job, parents and children, and runs that count the GPUs
    of one machine, each holds what those before it do not. What a run lost to another that is no part of it, and what
    it holds of a job in which another ran too, is in `contested_gpu_seconds`: no log says which of them used it.
    """
    rows = identified(_logged(run_rows, settings))
    names = run_names(rows)
    parents = rows.select("source", "run_source", "run", parent_run_id="logged_run_id").unique(
        ["source", "parent_run_id"]
    )
    named = (
        _held(gpu_sets(rows))
        .join(names, on=_RUN, how="left", maintain_order="left")
        .join(parents.join(names, on=_RUN).select("source", "parent_run_id", parent="run_id"),
              on=["source", "parent_run_id"], how="left", maintain_order="left")
        .with_columns(parent_run_id=pl.coalesce("parent", "parent_run_id"))
        .sort("run_id", "held_from", "held_to", "source", "logged_run_id", "row")
    )  # fmt: skip
    attributed = _attributed(named, attribution)
    return RunAttempts.frame(attributed.with_columns(pl.col("row").cum_count().over("run_id").alias("attempt")))


def _logged(run_rows: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Attempts that began before the night's end, as they stood then: what goes on is censored at the night.

    An attempt without an end ends at the latest where the next attempt of its run begins.
    """
    night_end = settings["night_end"].item()
    first = pl.coalesce("started_at", "held_from")
    begun = run_rows.filter(first.is_null() | (first < night_end))
    ordered = begun.sort("source", "run_id", first, "file_sha256", "location", "held_from", "held_to")
    following = first.shift(-1).over("source", "run_id")
    is_followed = pl.col("ended_at").is_null() & (following > pl.col("started_at"))
    closed = ordered.with_columns(
        pl.when(is_followed).then(following).otherwise("ended_at").alias("ended_at"),
        pl.when(is_followed).then(pl.lit("last_event")).otherwise("end_source").alias("end_source"),
        pl.when(is_followed, pl.col("status") == "running").then(pl.lit("unknown")).otherwise("status").alias("status"),
    )
    outlasts = pl.col("ended_at") > night_end
    goes_on = pl.col("started_at").is_not_null() & (pl.col("ended_at").is_null() | outlasts)
    is_open = goes_on & (outlasts.fill_null(value=False) | (pl.col("status") == "unknown"))
    ended = pl.when(goes_on).then(pl.lit(night_end)).otherwise("ended_at")
    last = pl.coalesce("held_to", ended)
    seconds = divided((ended - pl.col("started_at")).dt.total_microseconds(), 1_000_000) * pl.col("gpu_count")
    stood = closed.with_columns(
        ended.alias("ended_at"),
        pl.when(goes_on).then(pl.lit("censored")).otherwise("end_source").alias("end_source"),
        pl.when(is_open).then(pl.lit("running")).otherwise("status").alias("status"),
        pl.coalesce("held_from", "started_at").alias("start"),
        pl.when(last > night_end).then(pl.lit(night_end)).otherwise(last).alias("end"),
        pl.when(goes_on).then(seconds).otherwise(pl.coalesce("gpu_seconds", seconds)).alias("gpu_seconds"),
    )
    lasted = (pl.col("end") - pl.col("start")).dt.total_microseconds().alias("logged_us")
    return stood.rename({"run_id": "logged_run_id"}).with_columns(lasted).with_row_index("row")


def _held(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row once for each interval that it holds alone; once, with 0 GPUs, where others hold all that it claims."""
    claims = rows.with_row_index("claim").with_columns(
        pl.col("start").dt.epoch("us").alias("start_us"), pl.col("end").dt.epoch("us").alias("end_us")
    )
    counted = pl.col("gpu_count") > 0
    holding = claims.filter(counted, ~pl.col("is_replaced"), pl.col("start_us") < pl.col("end_us"))
    is_alone = pl.len().over("gpu_set") == 1
    alone = holding.filter(is_alone).select("claim", held_from_us="start_us", held_to_us="end_us", holds="gpu_count")
    shared = exclusive_holdings(holding.filter(~is_alone).sort("gpu_set", "precedence", "claim"))
    pieces = pl.concat([alone, shared.rename({"gpu_count": "holds"})])
    claimed = (pl.col("end_us") - pl.col("start_us")) * pl.col("gpu_count")
    held = (pl.col("held_to_us") - pl.col("held_from_us")) * pl.col("holds")
    lost = counted & (pl.col("is_replaced") | (pl.col("holds").is_null() & (pl.col("start_us") < pl.col("end_us"))))
    share = held / (pl.col("logged_us") * pl.col("gpu_count"))
    contested = (claimed.first() - held.sum()).over("claim") / 1_000_000
    return claims.join(pieces, on="claim", how="left", maintain_order="left").with_columns(
        pl.coalesce(pl.col("held_from_us").cast(INSTANT), "start").alias("held_from"),
        pl.coalesce(pl.col("held_to_us").cast(INSTANT), "end").alias("held_to"),
        pl.when(lost).then(0.0).otherwise(pl.coalesce("holds", "gpu_count")).alias("gpu_count"),
        pl.when(lost).then(0.0).when(share == 1).then("gpu_seconds")
        .otherwise(pl.col("gpu_seconds") * share.fill_null(1.0)).alias("gpu_seconds"),
        pl.when(pl.col("is_contested") & counted & ~pl.col("is_replaced")).then(contested)
        .when("is_crowded").then(held.fill_null(0) / 1_000_000).otherwise(0.0).alias("contested_gpu_seconds"),
    )  # fmt: skip


def _attributed(attempts: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """Pool from the first rule for pools, model, phase and team from the first for models; by any log of the run."""
    fields = _fields(attempts)
    pools = first_rules(fields, attribution.filter(pl.col("target") == "pool"))
    models = first_rules(fields, attribution.filter(pl.col("target") == "model"))
    return (
        attempts.rename({"team": "logged_team"})
        .join(pools.select(run_id="subject", pool_id="target_id"), on="run_id", how="left", maintain_order="left")
        .join(models.select("phase", "team", run_id="subject", model_id="target_id"), on="run_id", how="left",
              maintain_order="left")
        .with_columns(pl.coalesce("team", "logged_team").alias("team"))
    )  # fmt: skip


def _fields(attempts: pl.DataFrame) -> pl.DataFrame:
    """The fields of each run that rules may name; a run on several hosts has the field `host` several times."""
    start = pl.coalesce("started_at", "held_from").min().over("run_id")
    dated = attempts.with_columns(start.dt.date().alias("day")).select(
        "run_id", "source", "day", "hosts", *PLAIN_FIELDS
    )
    keys = [pl.col("run_id").alias("subject"), pl.col("source"), pl.col("day")]
    plain = [dated.select(*keys, pl.lit(name).alias("field"), pl.col(name).alias("value")) for name in PLAIN_FIELDS]
    hosts = dated.select(*keys, pl.lit("host").alias("field"), pl.col("hosts").alias("value")).explode("value")
    return pl.concat([*plain, hosts]).unique()
