"""One MLPerf log: its `:::MLLOG` records, wherever in a line they stand, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.decode.text_lines import Line, text_lines
from warehouse.sources.reader_protocol import Delivered
from warehouse.sources.rejects import Refusals
from warehouse.sources.training.mlperf_records import Record, record
from warehouse.sources.training.run_rows import last_loss

_MARK: Final = b":::MLLOG"
_TIME_LIMIT: Final = b"DUE TO TIME LIMIT"
_STATUSES: Final[Mapping[str | None, str]] = {"success": "finished", "aborted": "failed"}
_METRICS: Final = frozenset({"eval_accuracy", "train_loss", "tracked_stats"})
_WITH_LOSS: Final = ("gpt", "llama", "mixtral", "deepseek")  # their eval_accuracy is a validation loss
_STARTS: Final = frozenset({"init_start", "run_start"})
_ONCE: Final = frozenset({"submission_benchmark", "max_sequence_length", "global_batch_size"})


@dataclass
class Log:
    """The records of one log, folded; instants in microseconds since 1970, unknown ones None."""

    records: int = 0
    foreign_lines: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    read_at: list[str] = field(default_factory=list)
    held_from: int | None = None
    held_to: int | None = None
    begun: dict[str, int] = field(default_factory=dict)
    run_stop: int | None = None
    run_status: str | None = None
    met_time_limit: bool = False
    samples: int | None = None
    said: dict[str, object] = field(default_factory=dict)
    measured: list[Record] = field(default_factory=list)

    @property
    def benchmark(self) -> str | None:
        """The benchmark as the log names it."""
        named = self.said.get("submission_benchmark")
        return named if isinstance(named, str) else None

    @property
    def run_start(self) -> int | None:
        """When training began; initialisation came before."""
        return self.begun.get("run_start")

    def add(self, found: Record) -> None:
        """Fold one record in; records may come in any order."""
        self.held_from = _earlier(self.held_from, found.at)
        self.held_to = _later(self.held_to, found.at)
        self.samples = _later(self.samples, found.samples)
        if found.key in _STARTS:
            self.begun[found.key] = _earlier(self.begun.get(found.key), found.at)
        if found.key == "run_stop" and _later(self.run_stop, found.at) == found.at:
            self.run_stop, self.run_status = found.at, found.status
        if found.key in _METRICS:
            self.measured.append(found)
        if found.key in _ONCE:
            self.said.setdefault(found.key, found.value)

    def key(self, project: object) -> str | None:
        """What copies of one run share; None for a run that never started, which has no copies to find."""
        named = self.benchmark or project
        return (
            None
            if self.run_start is None
            else f"{named} {self.begun.get('init_start')} {self.run_start} {self.run_stop}"
        )

    def course(self) -> dict[str, object]:
        """When the run went on, how it ended and what it reached."""
        name, loss = self._final_loss()
        batch, length = (_whole(self.said.get(key)) for key in ("global_batch_size", "max_sequence_length"))
        return {
            "started_at": self.run_start,
            "ended_at": self.held_to if self.run_stop is None else self.run_stop,
            "end_source": "last_event" if self.run_stop is None else "logged",
            "status": self._status(),
            "held_from": self.held_from,
            "held_to": self.held_to,
            "tokens": None if self.samples is None or length is None else float(self.samples * length),
            "steps": None if self.samples is None or not batch else self.samples // batch,
            "final_loss": loss,
            "loss_name": name,
        }

    def metrics(self, run_id: str) -> Sequence[Mapping[str, object]]:
        """Every logged measurement of the run."""
        length = _whole(self.said.get("max_sequence_length"))
        return [
            {
                "run_id": run_id,
                "step": found.samples,
                "tokens": None if found.samples is None or length is None else float(found.samples * length),
                "name": name,
                "value": value,
                "at": found.at,
            }
            for found in self.measured
            for name, value in found.measurements()
        ]

    def _status(self) -> str:
        if self.run_stop is not None:
            return _STATUSES.get(self.run_status, "unknown")
        return "timeout" if self.met_time_limit else "unknown"

    def _final_loss(self) -> tuple[str | None, float | None]:
        is_loss = (self.benchmark or "").startswith(_WITH_LOSS)
        aliases = {"train_loss": "loss"} | ({"eval_accuracy": "val_loss"} if is_loss else {})
        ordered = sorted(self.measured, key=lambda found: found.at)
        return last_loss((named for found in ordered for named in found.measurements()), aliases)


def read_log(delivered: Delivered) -> Log:
    """Every record of a log, and how many lines are none."""
    log, starts = Log(), plausible_starts(delivered.ahead)
    for line in text_lines(delivered.content):
        if _MARK not in line.text:
            log.foreign_lines += 1
            log.met_time_limit |= _TIME_LIMIT in line.text
            continue
        for text in line.text.split(_MARK)[1:]:
            _add_text(log, line, text, starts)
    return log


def _add_text(log: Log, line: Line, text: bytes, starts: range) -> None:
    log.records += 1
    location = f"line {line.number}"
    try:
        log.add(record(text, starts))
    except BadLine as bad:
        is_cut = bad.reason == "bad_json" and not line.is_ended
        log.refusals.add(location, "truncated" if is_cut else bad.reason, bad.detail)
    else:
        log.read_at.append(location)


def _earlier(known: int | None, found: int) -> int:
    return found if known is None else min(known, found)


def _later(known: int | None, found: int | None) -> int | None:
    return known if found is None else found if known is None else max(known, found)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
