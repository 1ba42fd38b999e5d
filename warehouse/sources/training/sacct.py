"""Slurm accounting: each attempt of a job is a run; its steps repeat it and count nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from warehouse.sources.casts.casts import Cast, Judged, cells_at_fault, first_reason, free_text, key, null_if, refused
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of, in_order, start_in_range
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.status_words import run_status
from warehouse.sources.training.hostlist import hosts
from warehouse.sources.training.run_rows import run_rows
from warehouse.sources.training.slurm_jobs import Job, elapsed, runs, whole_job
from warehouse.sources.training.slurm_times import job_times

NAMES: Final = {
    "job": "JobID",
    "job_raw": "JobIDRaw",
    "run_name": "JobName",
    "state": "State",
    "started_at": "Start",
    "ended_at": "End",
    "tres": "AllocTRES",
    "cluster": "Cluster",
    "account": "Account",
    "elapsed": "Elapsed",
    "elapsed_raw": "ElapsedRaw",
    "nodes": "NodeList",
}
REQUIRED: Final = ("job", "run_name", "state", "started_at", "ended_at", "tres")
_TEXTS: Final = ("job_raw", "run_name", "cluster", "account", "elapsed", "elapsed_raw", "nodes")
_GPU_COUNTS: Final = r"gres/gpu(?::[^=,]+)?=[^,]*[^0-9,]"
_SECONDS: Final = r"^[0-9]{1,9}$"
_ELAPSED: Final = r"^(?:[0-9]+-)?(?:[0-9]+:)?[0-9]+:[0-9]+(?:\.[0-9]+)?$"


def read(delivered: Delivered, source: Source) -> Reading:
    """Every job that ran.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    names = {column: (name,) for column, name in NAMES.items()}
    layout = Layout(names, tuple((column,) for column in REQUIRED), separator="|", quoting="none")
    file = _File(delivered, source)
    try:
        for batch in batches(delivered, layout):
            file.add(batch)
    except RejectedFile as rejected:
        if rejected.reason != "missing_column":
            raise
        advice = "export it with sacct --parsable2, with its header, and the columns that docs/formats/sacct.md lists"
        raise RejectedFile(rejected.reason, f"{rejected.detail}; {advice}") from None
    return file.reading()


@dataclass
class _File:
    """The rows of one file while it is read."""

    delivered: Delivered
    source: Source
    rows: int = 0
    blank: int = 0
    jobs: list[tuple[str, Job]] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)

    def add(self, batch: Batch) -> None:
        """Steps, and jobs that never ran, are rows like any other and count nothing."""
        typed, reasons, faults = self._typed(batch.rows)
        is_job = ~batch.rows["job"].str.contains(".", literal=True).fill_null(value=False)
        judged = pl.select(pl.when(is_job).then(reasons).alias("reason")).to_series()
        ran = is_job & judged.is_null() & _has_run(typed)
        self.jobs += [(row["location"], _job(row)) for row in typed.filter(ran).iter_rows(named=True)]
        self.refused += [batch.refused, refusals(batch.rows, judged, faults)]
        self.rows += batch.rows.height + batch.refused.height + batch.blank
        self.blank += batch.blank
        self.flags |= assumptions(self.source, batch.rows["started_at"], batch.rows["ended_at"])

    def reading(self) -> Reading:
        """The whole file; of several attempts the first is the parent of the others."""
        ordered = sorted(self.jobs, key=lambda placed: placed[1].started_at)
        first = {job.of_cluster: job for _, job in reversed(ordered)}
        parts = {(job.cluster, job.job): job for _, job in reversed(ordered)}
        rows = [
            {"file_sha256": self.delivered.sha256, "location": location, "source": self.source.name, **run}
            for location, job in self.jobs
            for run in runs(job, self.source.name, parts.get((job.cluster, whole_job(job.job)), first[job.of_cluster]))
        ]
        return Reading(
            rows=self.rows,
            frames={"run_rows": run_rows(rows)},
            refused=pl.concat([Reading(0, {}).refused, *self.refused]),
            blank=self.blank,
            counted=len(self.jobs),
            flags=tuple(sorted(self.flags)),
        )

    def _typed(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
        casts = {name: free_text(null_if(cells[name])) for name in _TEXTS}
        casts["started_at"], casts["ended_at"] = job_times(cells, clock_of(self.source))
        casts["job"] = key(cells["job"])
        casts["state"] = Cast(null_if(cells["state"]).str.extract("^([A-Za-z_]+)").str.to_uppercase(), _none(cells))
        casts["tres"] = Cast(null_if(cells["tres"]), refused(cells["tres"].str.contains(_GPU_COUNTS), "bad_count"))
        typed = pl.DataFrame([cells["location"], *(cast.values.alias(name) for name, cast in casts.items())])
        judged = [
            *(Judged(name, cast.reasons, cells[name]) for name, cast in casts.items()),
            Judged("started_at", start_in_range(typed["started_at"], self.delivered.ahead), cells["started_at"]),
            Judged("ended_at", in_order(typed["started_at"], typed["ended_at"]), cells["ended_at"]),
            Judged("elapsed", refused(~typed["elapsed"].str.contains(_ELAPSED), "bad_date"), cells["elapsed"]),
            Judged(
                "elapsed_raw", refused(~typed["elapsed_raw"].str.contains(_SECONDS), "bad_date"), cells["elapsed_raw"]
            ),
        ]
        reasons = first_reason(*(one.reasons for one in judged))
        status = run_status(typed["state"]).fill_null("unknown").alias("status")
        return typed.with_columns(status), reasons, cells_at_fault(reasons, judged)


def _has_run(typed: pl.DataFrame) -> pl.Series:
    """Whether GPUs were ever held: a job cancelled while it waited starts and ends at once, with nothing."""
    held_nothing = pl.col("tres").is_null() & (pl.col("started_at") == pl.col("ended_at")).fill_null(value=False)
    waits = pl.col("state").eq_missing("PENDING")
    return typed.select((pl.col("started_at").is_not_null() & ~waits & ~held_nothing).alias("ran"))["ran"]


def _none(cells: pl.DataFrame) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, cells.height)


def _job(row: dict[str, Any]) -> Job:
    return Job(
        cluster=row["cluster"],
        job=row["job"],
        job_raw=row["job_raw"] or row["job"],
        name=row["run_name"],
        account=row["account"],
        status=row["status"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        elapsed=elapsed(row["elapsed"], row["elapsed_raw"]),
        tres=row["tres"],
        hosts=hosts(row["nodes"]),
    )
