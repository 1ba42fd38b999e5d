"""One attempt of a Slurm job as training runs: one for each type of GPU it held."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from warehouse.sources.casts.date_guard import microseconds_of
from warehouse.sources.training.chips import chip

_GPU: Final = re.compile(r"gres/(?:gpu|mig(?=:[^=,]*\dg\.))(?::([^=,]+))?=(\d+)", re.ASCII | re.IGNORECASE)
_PARTS: Final = re.compile(r"gres/(?:mig|shard|mps)(?::[^=,]+)?=0*[1-9]", re.ASCII | re.IGNORECASE)
"""Parts of GPUs of which the accounting does not say how large they are."""
_ELAPSED: Final = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.(\d+))?", re.ASCII)
_SLICE: Final = re.compile(r"(?:^|^mig[_-]|[_-])(\d)g\.\d+gb.*$", re.ASCII | re.IGNORECASE)
_SLICES: Final = {"A30": 4}
"""Compute slices of a chip that is no seventh: others are cut into seven."""
_PART: Final = re.compile(r"(\d+)\+\d+", re.ASCII)


@dataclass(frozen=True)
class Job:
    """One row of the accounting that is no step: one attempt of one job, or of one part of it."""

    cluster: str | None
    job: str
    job_raw: str
    name: str | None
    account: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    elapsed: timedelta | None
    tres: str | None
    hosts: Sequence[str]

    @property
    def of_cluster(self) -> tuple[str, str]:
        """What all attempts of the job share."""
        return self.cluster or "", self.job_raw

    def run_id(self, source: str) -> str:
        """Cluster, job and start: a job that is requeued keeps its number and starts again."""
        return f"{self.cluster or source}/{self.job_raw}@{self.started_at:%Y-%m-%dT%H:%M:%SZ}"


def elapsed(written: str | None, seconds: str | None) -> timedelta | None:
    """`[D-]HH:MM:SS[.fraction]`, or plain seconds.

    Raises:
        ValueError: for anything else.
    """
    if written is None:
        return timedelta(seconds=int(seconds)) if seconds is not None else None
    parts = _ELAPSED.fullmatch(written.strip())
    if not parts:
        raise ValueError("no elapsed time")
    days, hours, minutes, whole, fraction = (part or "0" for part in parts.groups())
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(whole),
        microseconds=int(fraction[:6].ljust(6, "0")),
    )


def gpus(tres: str | None) -> Mapping[str | None, float | None]:
    """GPUs by chip, slices as parts of one; a total without type beside typed counts is the same GPUs.

    Without any GPU: none of no chip; an unknown number where there are parts of unknown size alone. Three sevenths of
    an A100 are `gres/gpu:a100_3g.20gb=1`.
    """
    counts = [(name, int(number)) for name, number in _GPU.findall(tres or "")]
    typed: dict[str | None, float] = {}
    for name, number in counts:
        if name:
            model = chip(_SLICE.sub("", name))
            typed[model] = typed.get(model, 0.0) + number * _part_of_gpu(name)
    listed = sum(number for name, number in counts if name)
    total = max((number for name, number in counts if not name), default=listed)
    if total == listed == 0 and _PARTS.search(tres or ""):
        return {None: None}
    rest = float(total - listed)
    if len(typed) == 1:
        return {model: count + max(rest, 0.0) for model, count in typed.items()}
    return typed | ({None: rest} if rest > 0 or not typed else {})


def _part_of_gpu(name: str) -> float:
    """The part of a GPU that a type stands for: a slice of `3g.40gb` is three of its compute slices."""
    match = _SLICE.search(name)
    return int(match[1]) / _SLICES.get(chip(_SLICE.sub("", name)) or "", 7) if match else 1.0


def runs(job: Job, source: str, first: Job) -> list[dict[str, object]]:
    """The attempt as rows of raw.run_rows; `first` is the job's first attempt, or first part."""
    held = gpus(job.tres)
    run_id, parent = job.run_id(source), first.run_id(source)
    return [
        {
            "run_id": run_id if len(held) == 1 else f"{run_id}#{model or 'gpu'}",
            "run_key": f"{run_id}#{model}",
            "is_job": True,
            "job_id": _tracked_id(job),
            "parent_run_id": None if parent == run_id else parent,
            "run_name": job.name,
            "project": job.account,
            "cluster": job.cluster,
            "hosts": list(job.hosts),
            "team": job.account,
            "started_at": microseconds_of(job.started_at),
            "gpu_model": model,
            "gpu_count": count,
            **_course(job, count),
        }
        for model, count in held.items()
    ]


def _tracked_id(job: Job) -> str:
    """The id that processes of the job find in their environment: of a heterogeneous job that of its first part."""
    part = _PART.fullmatch(job.job)
    return part[1] if part else job.job_raw


def _course(job: Job, count: float | None) -> dict[str, object]:
    """How the attempt ended; time in which it was suspended held no GPU, so elapsed time wins.

    An attempt with an end has ended, whatever the word: one that was requeued stopped there.
    """
    ended_at = job.ended_at
    if ended_at is None and job.status != "running" and job.elapsed is not None:
        ended_at = job.started_at + job.elapsed
    if ended_at is None:
        return {"status": "running", "end_source": "censored"}
    spent = job.elapsed if job.elapsed is not None else ended_at - job.started_at
    return {
        "ended_at": microseconds_of(ended_at),
        "status": "unknown" if job.status == "running" else job.status,
        "end_source": "last_event" if job.ended_at is None else "job_db",
        "gpu_seconds": None if count is None else count * spent.total_seconds(),
    }


def whole_job(job: str) -> str:
    """The first part of a heterogeneous job: `123+1` belongs to `123+0`; any other job is whole."""
    part = _PART.fullmatch(job)
    return f"{part[1]}+0" if part else job
