"""nanoGPT and modded-nanogpt: lines of steps; the source code that stands before them in the log is no log."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.decode.text_lines import Line, text_lines, uncoloured
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.chips import chip
from warehouse.sources.training.run_rows import last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, microseconds, refuse_sidecar, sidecar, with_sidecar

_MILLI: Final = 1000
_STEP: Final = re.compile(
    rb"step:(\d+)/(\d+) (?:(train_loss|val_loss):(\S+) )?train_time:(\d+(?:\.\d+)?)ms(?: step_avg:\S+)?\s*"
)
_ITERATION: Final = re.compile(rb"iter (\d+): loss (\S+), time (\d+(?:\.\d+)?)ms(?:, mfu (\S+)%)?\s*")
_EVALUATION: Final = re.compile(rb"step (\d+): train loss (\S+), val loss (\S+)\s*")
_RECORD: Final = re.compile(rb"step:\d+/\d+ |iter \d+: loss |step \d+: train loss ")
_GPU: Final = re.compile(rb"\|\s+(\d+)\s+(\S.*?)\s+(?:On|Off|N/A)\s+\|\s+[0-9A-Fa-f]{8}:.*")
_TELLING: Final = 5
"""Losses by which a copy of a log is known under another name."""
_DAY: Final = re.compile(r"(?<!\d)20\d\d-\d\d-\d\d(?!\d)")


def read(delivered: Delivered, source: Source) -> Reading:
    """A log is one run and as many rows as it has lines of steps; a file without any holds no rows."""
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    log = _Log()
    for written in text_lines(delivered.content):
        line = written._replace(text=uncoloured(written.text))
        log.add(line)
    if not log.values and not log.is_timed:
        return Reading(rows=log.records, frames={}, refused=log.refusals.frame(), foreign_lines=log.foreign_lines)
    run, is_day_only = _run(log, delivered, source)
    started = run["started_at"]
    if started is not None and started not in plausible_starts(delivered.ahead):
        refused = Refusals([("file", "date_out_of_range", "", "the run starts before 2015 or after the night")])
        return Reading(rows=max(log.records, 1), frames={}, refused=refused.frame(), foreign_lines=log.foreign_lines)
    named = {"run_id": run["run_id"]}
    metrics = [named | {"step": step, "name": name, "value": value} for step, name, value in log.values]
    return Reading(
        rows=log.records,
        frames={
            "run_rows": run_rows([run]),
            "metric_rows": metric_rows(delivered.sha256, source.name, metrics),
        },
        refused=log.refusals.frame(),
        foreign_lines=log.foreign_lines,
        flags=("clock_partial", *(("day_from_path",) if is_day_only else ())),
    )


@dataclass
class _Log:
    """What the lines of one log say; times in milliseconds."""

    records: int = 0
    foreign_lines: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    steps: int = 0
    last_step: int | None = None
    total: int | None = None
    trained_ms: float = 0.0
    earlier_ms: float = 0.0
    is_timed: bool = False
    values: list[tuple[int, str, float]] = field(default_factory=list)
    gpus: dict[int, str] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """A line counts only if it is one of the trainer's from its start to its end."""
        if match := _GPU.fullmatch(line.text.rstrip()):
            self.gpus[int(match[1])] = match[2].decode("utf-8", "replace")
        if not _RECORD.match(line.text):
            self.foreign_lines += 1
            return
        self.records += 1
        try:
            self._add_record(line.text)
        except ValueError as bad:
            reason = "bad_decimal" if line.is_ended else "truncated"
            self.refusals.add(f"line {line.number}", reason, str(bad))

    def _add_record(self, text: bytes) -> None:
        if match := _STEP.fullmatch(text):
            step, total, name, value, time = match.groups()
            loss = [] if name is None else [(name.decode(), float(value))]
            self._clock(float(time))
            self.total = int(total)
        elif match := _ITERATION.fullmatch(text):
            step, value, time, used = match.groups()
            loss = [("loss", float(value)), *([("mfu", float(used) / 100)] if used is not None else [])]
            self._iterate(int(step), float(time))
        elif match := _EVALUATION.fullmatch(text):
            step, trained, value = match.groups()
            loss = [("train_loss", float(trained)), ("val_loss", float(value))]
        else:
            raise ValueError("the line begins as a step does and does not end as one")
        self.steps = max(self.steps, int(step))
        self.last_step = int(step)
        self.values += [(int(step), name, number) for name, number in loss]

    def _clock(self, time: float) -> None:
        """The clock counts on from step to step; where it falls back, training was started again in the same log."""
        self.is_timed = True
        if time < self.trained_ms:
            self.earlier_ms += self.trained_ms
        self.trained_ms = time

    def _iterate(self, step: int, time: float) -> None:
        """The time of one step stands for every step since the line before."""
        since = 1 if self.last_step is None or step <= self.last_step else step - self.last_step
        self.is_timed = True
        self.trained_ms += time * since

    @property
    def duration_us(self) -> int | None:
        """Time trained; None where no line tells any."""
        return round((self.earlier_ms + self.trained_ms) * _MILLI) if self.is_timed else None

    @property
    def key(self) -> str | None:
        """What copies of the log say alike whatever they are called; None where it tells of too little."""
        begin = self.values[:_TELLING]
        return hashlib.sha256(repr(begin).encode()).hexdigest()[:16] if len(begin) == _TELLING else None

    @property
    def is_finished(self) -> bool:
        """Whether the last step is the last one there was to be."""
        return self.total is not None and self.last_step == self.total


def _run(log: _Log, delivered: Delivered, source: Source) -> tuple[dict[str, Any], bool]:
    """The run, and whether only the day of its start is known."""
    sidecar_fields = sidecar(delivered, source)
    path = PurePosixPath(delivered.file)
    name, loss = last_loss((name, value) for _, name, value in log.values if math.isfinite(value))
    per_step = sidecar_fields.get("tokens_per_step")
    run = {
        "file_sha256": delivered.sha256,
        "location": "file",
        "source": source.name,
        "run_id": None if "run_id" in sidecar_fields else _stem(path),
        "run_name": None if "run_name" in sidecar_fields else path.name.partition(".")[0],
        "project": None if "project" in sidecar_fields else path.parent.name,
        "gpu_count": float(len(log.gpus)) if log.gpus else None,
        "gpu_scope": "host" if log.gpus and "gpu_count" not in sidecar_fields else None,
        "gpu_model": next((chip(words) for words in log.gpus.values()), None),
        "steps": log.steps,
        "tokens": float(str(per_step)) * log.steps if per_step is not None else None,
        "final_loss": loss,
        "loss_name": name,
    }
    course, is_day_only = _course(log, sidecar_fields, path, source)
    fields = with_sidecar(run, sidecar_fields) | course
    return {**fields, "run_key": fields["run_id"], "log_key": log.key}, is_day_only


def _course(
    log: _Log, sidecar_fields: Mapping[str, Any], path: PurePosixPath, source: Source
) -> tuple[dict[str, Any], bool]:
    """Start and end from the sidecar and the time trained; without a sidecar, the day that the path names."""
    took, started, ended = log.duration_us, sidecar_fields.get("started_at"), sidecar_fields.get("ended_at")
    day = next(_days(path), None) if started is None and ended is None else None
    if day is not None:
        started = microseconds(day, source)
    if started is None and ended is not None and took is not None:
        started = ended - took
    is_told = ended is not None
    if ended is None and started is not None:
        ended = started + (took or 0)
    is_over = log.is_finished or is_told
    status = sidecar_fields.get("status") or ("finished" if log.is_finished else "unknown")
    end_source = "logged" if is_over and started is not None else "last_event"
    course = {"started_at": started, "ended_at": ended, "end_source": end_source, "status": status}
    return course, day is not None


def _days(path: PurePosixPath) -> Iterator[str]:
    """Days that the path names, the nearest to the file first."""
    for part in reversed(path.parts):
        for match in _DAY.finditer(part):
            try:
                microseconds(match[0], _UTC)
            except ValueError:
                continue
            yield match[0]


_UTC: Final = Source("", "training_logs", "nanogpt", "")


def _stem(path: PurePosixPath) -> str:
    return str(path.with_name(path.name.partition(".")[0]))
