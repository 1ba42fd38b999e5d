"""What logs of training leave open: runs that hold no GPUs or no pool, and GPUs that two of them say they hold."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.staging import RunFindings

_MICRO: Final = 1_000_000
_LEAST: Final = 1e-3
"""GPU-seconds under which sums of fractions of a GPU may differ by rounding."""


def run_findings(run_attempts: pl.DataFrame, training_runs: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """One run without GPUs or without a pool, or one claim of GPUs that another log holds already."""
    noticed = (
        _without_pool(training_runs, has_pools=(attribution["target"] == "pool").any()),
        _without_gpus(training_runs, run_attempts),
        _contested(run_attempts),
        _of_two_sources(run_attempts),
    )
    return pl.concat(RunFindings.frame(rows) for rows in noticed).sort("source", "kind", "subject", "counterpart")


def _days() -> list[pl.Expr]:
    """The first and the last day on which GPUs were held."""
    first, last = (pl.coalesce(names) for names in (("held_from", "started_at"), ("held_to", "ended_at")))
    return [first.min().dt.date().alias("day_from"), last.max().dt.date().alias("day_to")]


def _of_run(runs: pl.DataFrame, kind: str) -> pl.DataFrame:
    return runs.group_by("source", pl.col("run_id").alias("subject")).agg(
        pl.lit(kind).alias("kind"), pl.lit(1).alias("rows"), pl.col("gpu_seconds").sum(), *_days()
    )


def _without_pool(training_runs: pl.DataFrame, *, has_pools: bool) -> pl.DataFrame:
    """Runs with a model whose GPUs belong to no pool, so that nothing of what they cost reaches the model.

    Where no rule names a pool, bills say whose each charge is, and nothing is lost: one row a source says so.
    """
    is_lost = pl.col("model_id").is_not_null() & pl.col("pool_id").is_null() & (pl.col("gpu_seconds") > 0)
    lost = training_runs.filter(is_lost)
    if has_pools:
        return _of_run(lost, "run_without_pool")
    return lost.group_by("source").agg(
        pl.col("source").first().alias("subject"),
        pl.lit("no_pool_rule").alias("kind"),
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("gpu_seconds").sum(),
        *_days(),
    )


def _without_gpus(training_runs: pl.DataFrame, run_attempts: pl.DataFrame) -> pl.DataFrame:
    """Runs that do not say how many GPUs they held or when, and jobs without any where GPUs were to be expected.

    A run that ends with its last record, and has none after its first, does not say for how long.
    """
    is_a_moment = (pl.col("held_from") == pl.col("held_to")) & (pl.col("end_source") == "last_event")
    is_timeless = is_a_moment & (pl.col("gpu_count") > 0) & (pl.col("gpu_seconds") == 0)
    silent = training_runs.filter(pl.col("gpu_seconds").is_null() | is_timeless).select("run_id")
    runs = training_runs.join(pl.concat([silent, _untracked(run_attempts)]).unique(), on="run_id", how="semi")
    return _of_run(runs, "run_without_gpus").with_columns(pl.lit(None, dtype=pl.Float64).alias("gpu_seconds"))


def _untracked(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """Jobs that hold no GPUs on a node where others hold some, or in a pool of a cluster that accounts for none."""
    jobs = run_attempts.filter("is_job", pl.col("held_from") < pl.col("held_to"))
    holds = (pl.col("gpu_count") > 0).fill_null(value=False)
    cluster = ["source", "cluster"]
    tracked = jobs.join(jobs.filter(holds).select(cluster).unique(), on=cluster, how="anti", nulls_equal=True)
    in_pool = tracked.filter(pl.col("pool_id").is_not_null()).select("run_id")
    nodes = (
        jobs.filter(holds).select(*cluster, pl.col("hosts").alias("host")).explode("host").drop_nulls("host").unique()
    )
    without = jobs.filter(~holds).select("run_id", *cluster, pl.col("hosts").alias("host")).explode("host")
    beside = without.join(nodes, on=[*cluster, "host"], how="semi", nulls_equal=True).select("run_id")
    return pl.concat([in_pool, beside])


def _contested(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """Claims of a machine's GPUs that another run of the machine holds at that time."""
    claims = ["run_id", "logged_run_id", "started_at", "contested_gpu_seconds"]
    lost = run_attempts.filter(pl.col("contested_gpu_seconds") > 0).unique(claims, keep="first", maintain_order=True)
    return lost.group_by("source", pl.col("run_id").alias("subject")).agg(
        pl.lit("gpus_claimed_twice").alias("kind"),
        pl.when(pl.col("hosts").list.len() > 0)
        .then(pl.format("other runs on {}", pl.col("hosts").list.join(", ")))
        .otherwise(pl.lit("other runs that count the same GPUs"))
        .first()
        .alias("counterpart"),
        pl.len().alias("rows"),
        pl.col("contested_gpu_seconds").sum().alias("gpu_seconds"),
        *_days(),
    )


def _of_two_sources(run_attempts: pl.DataFrame) -> pl.DataFrame:
    """GPUs of one host that runs of two sources hold at one time: both may log the same training.

    At each moment what the smaller sources hold is in doubt. A run on several hosts holds as many GPUs on each.
    """
    holding = run_attempts.filter(
        pl.col("gpu_count") > 0, pl.col("held_from") < pl.col("held_to"), pl.col("hosts").list.len() > 0
    )
    placed = holding.select(
        "source",
        "run_id",
        "held_from",
        "held_to",
        (pl.col("gpu_count") / pl.col("hosts").list.len()).alias("gpus"),
        pl.col("hosts").list.eval(pl.element().str.to_lowercase()).list.unique().alias("host"),
    ).explode("host")
    shared = placed.filter(pl.col("source").n_unique().over("host") > 1)
    columns = {source: f"held by {source}" for source in shared["source"].unique().sort()}
    if not columns:
        return RunFindings.empty()
    changes = pl.concat(
        [
            shared.select("host", "source", pl.col("held_from").alias("at"), pl.col("gpus")),
            shared.select("host", "source", pl.col("held_to").alias("at"), -pl.col("gpus")),
        ]
    ).sort("host", "at")
    held = changes.with_columns(
        pl.when(pl.col("source") == source).then("gpus").otherwise(0.0).cum_sum().over("host").alias(column)
        for source, column in columns.items()
    )
    lasted = (pl.col("at").shift(-1).over("host") - pl.col("at")).dt.total_microseconds().fill_null(0)
    doubtful = (pl.sum_horizontal(columns.values()) - pl.max_horizontal(columns.values())) * lasted / _MICRO
    timed = held.with_columns(doubtful.alias("gpu_seconds")).filter(pl.col("gpu_seconds") > _LEAST)
    by_host = timed.group_by("host").agg(
        pl.col("gpu_seconds").sum(),
        pl.col("at").min().dt.date().alias("day_from"),
        pl.col("at").max().dt.date().alias("day_to"),
    )
    return _named(by_host, shared)


def _named(by_host: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """The findings by host, under the source that holds least there, with the others as its counterpart."""
    seconds = (pl.col("held_to") - pl.col("held_from")).dt.total_microseconds() * pl.col("gpus")
    sums = shared.group_by("host", "source").agg(seconds.sum().alias("held"), pl.col("run_id").n_unique().alias("rows"))
    ranked = sums.sort("host", "held", "source").group_by("host", maintain_order=True).agg(
        pl.col("source").first(),
        pl.col("source").slice(1).str.join(", ").alias("others"),
        pl.col("rows").sum().cast(pl.Int64),
    )  # fmt: skip
    return by_host.join(ranked, on="host").with_columns(
        pl.lit("gpus_claimed_twice").alias("kind"),
        pl.format("runs of {} on {}", "source", "host").alias("subject"),
        pl.format("runs of {}", "others").alias("counterpart"),
    )
