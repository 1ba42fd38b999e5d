"""Which rows tell of one run: attempts under one id, ranks of one job, a tracker's run and the scheduler's job."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

KEY: Final = ("source", "logged_run_id")
"""A run is named by its source and the id it has there; ids of two sources are never one by being equal."""

_STARTED_TOGETHER: Final = timedelta(minutes=10)
"""Ranks of one job start within this time of each other; runs of one group that start later are other runs."""


def identified(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the run that each belongs to.

    Adds `run_source` and `run`, the key of the run; `is_leading` for the rows of the log that tells of its metrics;
    `is_scheduled` where the scheduler's job says which GPUs were held, so that the tracker's rows hold none;
    `is_crowded` where another run may use the GPUs that a row claims.

    Args:
        rows: attempts as files tell them, with `logged_run_id`, `start` and `end`, those without times null.
    """
    logged = _logged_runs(rows)
    ranks = _ranks(logged)
    jobs = _jobs(rows, ranks)
    led = rows.join(ranks.select(*KEY, "run_source", "run"), on=KEY, how="left", maintain_order="left")
    is_own = (pl.col("run_source") == pl.col("source")) & (pl.col("run") == pl.col("logged_run_id"))
    tracked = led.with_columns(is_own.alias("is_leading")).join(
        jobs.select(run_source="tracker_source", run="tracker_run").unique().with_columns(is_scheduled=True),
        on=["run_source", "run"], how="left", maintain_order="left",
    )  # fmt: skip
    owned = _owned_jobs(tracked.with_columns(pl.col("is_scheduled").fill_null(value=False)), jobs)
    doubtful = _doubtful_ranks(logged).with_columns(is_doubtful=True)
    return owned.join(doubtful, on=KEY, how="left", maintain_order="left").with_columns(
        (pl.col("is_crowded") | pl.col("is_doubtful").fill_null(value=False)).alias("is_crowded")
    ).drop("is_doubtful")  # fmt: skip


def run_names(rows: pl.DataFrame) -> pl.DataFrame:
    """One name for each run: its id, or `<source>/<id>` where runs of several sources have this id."""
    runs = rows.select("run_source", "run").unique()
    is_shared = pl.col("run_source").n_unique().over("run") > 1
    named = pl.when(is_shared).then(pl.format("{}/{}", "run_source", "run")).otherwise("run")
    return runs.with_columns(named.alias("run_id"))


def _logged_runs(rows: pl.DataFrame) -> pl.DataFrame:
    """One run of one source as logged: when it began and ended, on which hosts, in which job or group."""
    return rows.group_by(KEY).agg(
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("is_job").any(),
        pl.col("run_group", "job_id", "rank", "project").drop_nulls().min(),
        pl.col("hosts").explode().drop_nulls().str.to_lowercase().unique().sort(),
        pl.col("tokens", "steps", "gpu_count").max(),
        ((pl.col("gpu_scope") == "job") & (pl.col("gpu_count") > 1)).all().fill_null(value=False).alias("is_world"),
        pl.col("final_loss").is_not_null().any().alias("has_loss"),
        (pl.col("start") < pl.col("end")).any().fill_null(value=False).alias("has_time"),
    )


def _ranks(logged: pl.DataFrame) -> pl.DataFrame:
    """Each logged run with the run that leads it: of ranks of one job the one that tells most, else itself."""
    parts = pl.concat([_of_one_job(logged), _of_one_world(logged), _started_together(logged)])
    leading = (
        parts.sort("start", "logged_run_id")
        .sort("tokens", "has_loss", "steps", descending=True, nulls_last=True, maintain_order=True)
        .group_by("source", "part", maintain_order=True)
        .agg(pl.col("logged_run_id").first().alias("run"))
    )
    led = parts.join(leading, on=["source", "part"]).select(*KEY, "run")
    return logged.join(led, on=KEY, how="left").with_columns(
        pl.col("source").alias("run_source"), pl.coalesce("run", "logged_run_id").alias("run")
    )


def _of_one_job(logged: pl.DataFrame) -> pl.DataFrame:
    """Runs that number themselves within one group or job, at one time, and no two alike on one host."""
    label = pl.coalesce("rank " + pl.col("run_group"), "rank of job " + pl.col("job_id"))
    numbered = logged.filter("has_time", ~pl.col("is_job"), pl.col("rank").is_not_null()).with_columns(
        label.alias("label")
    )
    parts = _parts(numbered.filter(pl.col("label").is_not_null()), pl.lit(value=False))
    process = pl.format("{} {}", "rank", pl.col("hosts").list.join(","))
    return parts.filter((process.n_unique() == pl.len()).over("source", "part"))


def _of_one_world(logged: pl.DataFrame) -> pl.DataFrame:
    """Runs without group or job that started together, count the GPUs of all ranks alike and are another rank each."""
    parts = _parts(_worlds(logged), _begins_later())
    size = pl.len().over("source", "part")
    is_one = (pl.col("rank").n_unique().over("source", "part") == size) & (size > 1)
    fits = (pl.col("rank") < pl.col("gpu_count")).all().over("source", "part")
    return parts.filter(is_one & fits)


def _worlds(logged: pl.DataFrame) -> pl.DataFrame:
    """Runs that say which rank they are and how many GPUs all ranks have, and nothing of their group or job."""
    is_nameless = pl.col("run_group").is_null() & pl.col("job_id").is_null()
    label = pl.format("world of {} in {}", "gpu_count", pl.col("project").fill_null(""))
    numbered = logged.filter("has_time", "is_world", ~pl.col("is_job"), pl.col("rank").is_not_null(), is_nameless)
    return numbered.with_columns(label.alias("label"))


def _doubtful_ranks(logged: pl.DataFrame) -> pl.DataFrame:
    """Further ranks that count the GPUs of all ranks beside others that do, and cannot be told to be of one job."""
    alone = _worlds(logged).join(_of_one_world(logged).select(KEY), on=KEY, how="anti")
    ordered = alone.sort("source", "label", "start", "end")
    ended = pl.col("end").cum_max().shift().over("source", "label")
    following = pl.col("start").shift(-1).over("source", "label")
    meets = (pl.col("start") < ended).fill_null(value=False) | (pl.col("end") > following).fill_null(value=False)
    return ordered.filter(meets, pl.col("rank") > 0).select(KEY)


def _begins_later() -> pl.Expr:
    """Whether a run starts too long after the one before to be another rank of it."""
    return pl.col("start") - pl.col("start").shift().over("source", "label") > _STARTED_TOGETHER


def _started_together(logged: pl.DataFrame) -> pl.DataFrame:
    """Runs of one group on one host, or of one job and project, that ran at one time from about one moment on."""
    host = pl.when(pl.col("hosts").list.len() == 1).then(pl.col("hosts").list.first())
    of_job = "job " + pl.col("job_id") + " of " + pl.col("project").fill_null("")
    label = pl.coalesce("group " + pl.col("run_group") + " on " + host, of_job)
    numbered = _of_one_job(logged).select(KEY)
    others = logged.filter("has_time", ~pl.col("is_job")).join(numbered, on=KEY, how="anti")
    labelled = others.with_columns(label.alias("label")).filter(pl.col("label").is_not_null())
    return _parts(labelled, _begins_later())


def _parts(runs: pl.DataFrame, begins: pl.Expr) -> pl.DataFrame:
    """The runs with the part of their label that each belongs to: a new one where none goes on, or one `begins`."""
    ordered = runs.sort("source", "label", "start", "end", "logged_run_id")
    covered = pl.col("end").cum_max().shift().over("source", "label")
    is_first = ((pl.col("start") >= covered) | begins).fill_null(value=True)
    number = is_first.cum_sum().over("source", "label")
    return ordered.with_columns(pl.format("{} part {}", "label", number).alias("part"))


def _jobs(rows: pl.DataFrame, ranks: pl.DataFrame) -> pl.DataFrame:
    """One attempt of a scheduler's job and one tracked run that names the job: `source, logged_run_id, tracker_…`.

    Every attempt and part of the job belongs to the run, whichever of them it overlaps. A job id that several clusters
    used at that time names none of them.
    """
    jobs = rows.filter("is_job", pl.col("job_id").is_not_null()).select(
        *KEY, "job_id", "cluster", "start", "end", pl.col("hosts").list.eval(pl.element().str.to_lowercase()),
        pl.coalesce("parent_run_id", "logged_run_id").alias("job"),
    )  # fmt: skip
    tracked = ranks.filter(~pl.col("is_job"), pl.col("job_id").is_not_null(), pl.col("start").is_not_null())
    runs = tracked.group_by("run_source", "run", "job_id").agg(
        pl.col("start").min().alias("run_start"),
        pl.col("end").max().alias("run_end"),
        pl.col("hosts").explode().drop_nulls().unique().alias("run_hosts"),
    )
    are_apart = (
        (pl.col("hosts").list.len() > 0)
        & (pl.col("run_hosts").list.len() > 0)
        & (pl.col("hosts").list.set_intersection("run_hosts").list.len() == 0)
    )
    met = (
        jobs.join(runs, on="job_id")
        .filter(pl.col("start") < pl.col("run_end"), pl.col("run_start") < pl.col("end"), ~are_apart)
        .select("source", "cluster", "job", "run_start", "run_end", tracker_source="run_source", tracker_run="run")
        .unique()
        .filter(pl.struct("source", "cluster").n_unique().over("tracker_source", "tracker_run") == 1)
    )
    return jobs.select(*KEY, "job").join(met.drop("cluster"), on=["source", "job"])


def _owned_jobs(rows: pl.DataFrame, jobs: pl.DataFrame) -> pl.DataFrame:
    """The scheduler's rows as attempts of the runs that named their job, cut where the next of several runs began.

    `is_crowded` says that another run of the job, which is no part of this one, went on at that time: how many of the
    job's GPUs each used is not known.
    """
    jobs = jobs.rename({"tracker_source": "owner_source", "tracker_run": "owner"})
    pairs = rows.join(
        jobs.select(*KEY, "owner_source", "owner", "run_start", "run_end"), on=KEY, how="left", maintain_order="left"
    )
    ordered = pairs.sort("row", "run_start", "owner_source", "owner", maintain_order=True)
    following = pl.col("run_start").shift(-1).over("row")
    since = pl.when(pl.col("run_start").cum_count().over("row") > 1).then(pl.max_horizontal("start", "run_start"))
    is_owned = pl.col("owner").is_not_null()
    meets_next = pl.col("run_end") > following
    meets_last = pl.col("run_start") < pl.col("run_end").cum_max().shift().over("row")
    cut = ordered.with_columns(
        (meets_next.fill_null(value=False) | meets_last.fill_null(value=False)).alias("is_crowded"),
        pl.when(is_owned).then(pl.coalesce(since, "start")).otherwise("start").alias("start"),
        pl.when(is_owned & following.is_not_null()).then(pl.min_horizontal("end", following)).otherwise("end")
        .alias("end"),
        pl.coalesce("owner_source", "run_source").alias("run_source"),
        pl.coalesce("owner", "run").alias("run"),
        pl.when(is_owned).then(pl.lit(value=False)).otherwise("is_leading").alias("is_leading"),
    )  # fmt: skip
    kept = ~is_owned | (pl.col("start") < pl.col("end"))
    return cut.filter(kept).drop("owner_source", "owner", "run_start", "run_end")
