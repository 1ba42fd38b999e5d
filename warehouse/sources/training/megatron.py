"""Megatron-LM: iteration lines of a training log, with the launches of jobs that were restarted into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final
from zoneinfo import ZoneInfo

from warehouse.sources.casts.date_guard import microseconds_of, plausible_starts
from warehouse.sources.casts.local_times import FLAG
from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.decode.text_lines import Line, text_lines, uncoloured
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.attempts import Span, launches, trained_steps, within
from warehouse.sources.training.run_rows import last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, with_sidecar

_MILLI: Final = 1000
_PREFIX: Final = rb"\s*(?:\[?[\w.-]+\]?:\s*)*"  # of a rank, as launchers write it: `3: `, `[default0]:`
_TIME: Final = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?"
_ITERATION: Final = re.compile(_PREFIX + rb"(?:\[(" + _TIME + rb")\]\s*)?iteration\s+(\d+)/\s*(\d+)\s*\|(.*)")
_MOMENT: Final = re.compile(_PREFIX + rb"\[[a-z][^\]]*\] datetime:\s*(" + _TIME + rb")\s*")
_WORLD: Final = re.compile(_PREFIX + rb"(?:using )?world size:\s*(\d+)\b.*")
_ARGUMENT: Final = re.compile(_PREFIX + rb"(world_size|seq_length)\s+\.{3,}\s*(\d+)\s*")
_SAMPLES: Final = "consumed samples"
_ELAPSED: Final = "elapsed time per iteration (ms)"


def read(delivered: Delivered, source: Source) -> Reading:
    """A log is one run in one or several launches; its rows are its iteration lines, other files hold none."""
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    log = _Log(source.options.get("timezone", "UTC"), plausible_starts(delivered.ahead))
    for written in text_lines(delivered.content):
        line = written._replace(text=uncoloured(written.text))
        log.add(line)
    rows = list(_attempts(log, delivered, source)) if log.iterations else []
    metrics = [metric for run in rows[:1] for metric in log.metrics(str(run["run_id"]))]
    is_assumed = log.is_local and "timezone" not in source.options
    return Reading(
        rows=log.records,
        frames={
            "run_rows": run_rows(rows),
            "metric_rows": metric_rows(delivered.sha256, source.name, metrics),
        },
        refused=log.refusals.frame(),
        foreign_lines=log.foreign_lines,
        flags=(FLAG,) if is_assumed else (),
    )


@dataclass(frozen=True)
class _Iteration:
    """One iteration line: its number, when it was logged (microseconds since 1970) and what it measured."""

    step: int
    at: int | None
    values: Mapping[str, float]


@dataclass
class _Log:
    """What the lines of one log say together."""

    zone: str
    starts: range
    records: int = 0
    foreign_lines: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    is_local: bool = False
    world_size: int | None = None
    seq_length: int | None = None
    total: int | None = None
    moments: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    iterations: list[_Iteration] = field(default_factory=list)
    is_starting: bool = False
    is_fresh: bool = False

    def add(self, line: Line) -> None:
        """Iterations are rows; the sizes and moments that other lines tell are kept, all else is foreign."""
        match = _ITERATION.fullmatch(line.text)
        if match is None:
            self.foreign_lines += 1
            self._add_foreign(line.text)
            return
        self.records += 1
        try:
            self._iterate(match, is_ended=line.is_ended)
        except BadLine as bad:
            self.refusals.add(f"line {line.number}", bad.reason, bad.detail)

    def _add_foreign(self, text: bytes) -> None:
        if match := _WORLD.fullmatch(text):
            self.world_size = int(match[1])
            self.is_starting = True
        elif match := _ARGUMENT.fullmatch(text):
            name, number = match[1].decode(), int(match[2])
            setattr(self, name, number)
        elif match := _MOMENT.fullmatch(text):
            try:
                self._log(self._moment(match[1]))
            except BadLine:
                return

    def _iterate(self, match: re.Match[bytes], *, is_ended: bool) -> None:
        time, step, total, body = match.groups()
        if not body.rstrip().endswith(b"|"):
            raise BadLine("bad_decimal" if is_ended else "truncated", "the line does not end with a bar")
        values = dict(_numbers(body))
        at = None if time is None else self._moment(time)
        if at is not None:
            is_again = bool(self.iterations) and int(step) <= self.iterations[-1].step
            self.is_starting |= is_again and not self.is_fresh
            self._log(at)
        self.total, self.is_fresh = int(total), False
        self.iterations.append(_Iteration(int(step), at, values))

    def _log(self, at: int) -> None:
        """Keep a moment; the first one after a start, or at which iterations begin again, begins a launch."""
        if self.is_starting and self.moments:
            self.begun.append(at)
            self.is_fresh = True
        self.is_starting = False
        self.moments.append(at)

    def _moment(self, text: bytes) -> int:
        """A time as the clock of the source's zone shows it.

        Raises:
            BadLine: bad_date, date_out_of_range, or ambiguous_time where the zone shows it twice or never.
        """
        self.is_local = True
        try:
            written = datetime.fromisoformat(text.decode())
        except ValueError as error:
            raise BadLine("bad_date", "no such day or time") from error
        first, second = (written.replace(tzinfo=ZoneInfo(self.zone), fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            raise BadLine("ambiguous_time", f"{self.zone} shows this time twice or never")
        at = microseconds_of(first)
        if at not in self.starts:
            raise BadLine("date_out_of_range", "the time lies before 2015 or after the night")
        return at

    @property
    def elapsed_us(self) -> int | None:
        """Time of all iterations, from what each took, for logs without moments; None where none says."""
        took, last = 0.0, None
        for each in self.iterations:
            since = 1 if last is None or each.step <= last else each.step - last
            took += each.values.get(_ELAPSED, 0.0) * since
            last = each.step
        return round(took * _MILLI) or None

    @property
    def tokens(self) -> float | None:
        """Samples consumed × the length of a sequence."""
        samples = [each.values[_SAMPLES] for each in self.iterations if _SAMPLES in each.values]
        return max(samples) * self.seq_length if samples and self.seq_length else None

    def launch_key(self, span: Span) -> str | None:
        """What the first iteration of a launch says, to the second and the last digit: two logs of it are copies.

        Launchers keep a log for each rank or a second one of the whole job, so that one launch may stand in several.
        """
        first = next((each for each in self.iterations if each.at is not None and span.start <= each.at), None)
        if first is None or first.at is None or first.at > span.end:
            return None
        return f"{self.world_size}:{first.at}:{first.step}:{sorted(first.values.items())}"

    def metrics(self, run_id: str) -> Iterator[dict[str, object]]:
        """Every number of every iteration under its own name."""
        for each in self.iterations:
            samples = each.values.get(_SAMPLES)
            tokens = samples * self.seq_length if samples is not None and self.seq_length else None
            common = {"run_id": run_id, "step": each.step, "tokens": tokens, "at": each.at}
            for name, value in each.values.items():
                yield common | {"name": name, "value": value}


def _numbers(body: bytes) -> Iterator[tuple[str, float]]:
    """`name: value` between bars, cut at the last colon; a value that is no number is kept nowhere.

    Raises:
        BadLine: bad_decimal, where a part holds no colon at all.
    """
    for part in body.decode("utf-8", "replace").split("|"):
        name, colon, value = part.rpartition(":")
        if not part.strip():
            continue
        if not colon:
            raise BadLine("bad_decimal", "a part of the line without a colon")
        try:
            yield name.strip(), float(value)
        except ValueError:
            continue


def _attempts(log: _Log, delivered: Delivered, source: Source) -> Iterator[Mapping[str, Any]]:
    """The run once for each of its launches."""
    sidecar_fields: Mapping[str, Any] = sidecar(delivered, source)
    run = _run(log, delivered, source, sidecar_fields)
    started, ended = sidecar_fields.get("started_at"), sidecar_fields.get("ended_at")
    spans = launches(log.moments, log.begun)
    if not spans and started is not None:
        took = log.elapsed_us
        spans = within([], started, ended if ended is not None else None if took is None else started + took)
    is_done = log.iterations[-1].step == log.total
    last = {"end_source": "logged" if is_done or ended is not None else "last_event",
            "status": sidecar_fields.get("status") or ("finished" if is_done else "unknown")}  # fmt: skip
    if not spans:
        yield {**run, **last, "started_at": None, "ended_at": None}
    timed = [(each.at, each.step) for each in log.iterations if each.at is not None]
    steps = trained_steps(spans, timed) if timed else [_all_steps(log) for _ in spans]
    for span, trained in zip(spans, steps, strict=True):
        end = last if span is spans[-1] else {"end_source": "last_event", "status": "unknown"}
        key = log.launch_key(span) or run["run_key"]
        yield {**run, **end, **trained, "run_key": key, "started_at": span.start, "ended_at": span.end}


def _all_steps(log: _Log) -> Mapping[str, int | None]:
    steps = [each.step for each in log.iterations]
    return {"first_step": min(steps), "last_step": max(steps)}


def _run(log: _Log, delivered: Delivered, source: Source, sidecar_fields: Mapping[str, Any]) -> dict[str, Any]:
    path = PurePosixPath(delivered.file)
    name, loss = last_loss(item for each in log.iterations for item in each.values.items())
    run = {
        "file_sha256": delivered.sha256,
        "location": "file",
        "source": source.name,
        "run_id": None if "run_id" in sidecar_fields else str(path.with_name(path.name.partition(".")[0])),
        "run_name": None if "run_name" in sidecar_fields else path.name.partition(".")[0],
        "project": None if "project" in sidecar_fields else path.parent.name,
        "gpu_count": None if log.world_size is None else float(log.world_size),
        "gpu_scope": None if log.world_size is None or "gpu_count" in sidecar_fields else "job",
        "steps": max(each.step for each in log.iterations),
        "tokens": log.tokens,
        "final_loss": loss,
        "loss_name": name,
    }
    fields = with_sidecar(run, sidecar_fields)
    return {**fields, "run_key": fields["run_id"]}
