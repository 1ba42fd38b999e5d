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
from warehouse.sources.training.mlperf_launches import Launch, launched
from warehouse.sources.training.mlperf_records import Record, record
from warehouse.sources.training.run_rows import last_loss

_MARK: Final = b":::MLLOG"
_TIME_LIMIT: Final = b"DUE TO TIME LIMIT"
_STATUSES: Final[Mapping[str | None, str]] = {"success": "finished", "aborted": "failed"}
METRICS: Final = frozenset({"eval_accuracy", "train_loss", "tracked_stats"})
_WITH_LOSS: Final = ("gpt", "llama", "mixtral", "deepseek")  # their eval_accuracy is a validation loss
_ONCE: Final = frozenset({"submission_benchmark", "max_sequence_length", "global_batch_size"})


@dataclass
class Log:
    """The records of one log; instants in microseconds since 1970, unknown ones None."""

    records: int = 0
    foreign_lines: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    read_at: list[str] = field(default_factory=list)
    met_time_limit: bool = False
    logged_once: dict[str, object] = field(default_factory=dict)
    kept: list[Record] = field(default_factory=list)

    @property
    def benchmark(self) -> str | None:
        """The benchmark as the log names it."""
        named = self.logged_once.get("submission_benchmark")
        return named if isinstance(named, str) else None

    def add(self, added: Record) -> None:
        """Keep one record; records may come in any order, and values that nobody reads are dropped."""
        if added.key in _ONCE:
            self.logged_once.setdefault(added.key, added.value)
        self.kept.append(added if added.key in METRICS else added._replace(value=None))

    def launches(self) -> Sequence[Launch]:
        """The launches that the records tell of, in the order of time."""
        return launched(self.kept, METRICS)

    def key(self, launch: Launch, project: object) -> str | None:
        """What copies of one launch share; None for one that never started, which has no copies to find."""
        named = self.benchmark or project
        if launch.run_start is None:
            return None
        return f"{named} {launch.init_start} {launch.run_start} {launch.run_stop}"

    def course(self, launch: Launch, *, is_first: bool, is_last: bool) -> dict[str, object]:
        """When a launch went on, how it ended and what it reached.

        What goes on after a hole without saying that it starts has started with its first record.
        """
        name, loss = self._final_loss(launch)
        batch, length = (_whole(self.logged_once.get(key)) for key in ("global_batch_size", "max_sequence_length"))
        samples = launch.samples
        return {
            "started_at": launch.held_from if launch.run_start is None and not is_first else launch.run_start,
            "ended_at": launch.held_to if launch.run_stop is None else launch.run_stop,
            "end_source": "last_event" if launch.run_stop is None else "logged",
            "status": self._status(launch, is_last=is_last),
            "held_from": launch.held_from,
            "held_to": launch.held_to,
            "tokens": None if samples is None or length is None else float(samples * length),
            "steps": None if samples is None or not batch else samples // batch,
            "first_step": None if launch.run_start is None else 0,
            "last_step": samples,
            "final_loss": loss,
            "loss_name": name,
        }

    def metrics(self, run_id: str) -> Sequence[Mapping[str, object]]:
        """Every logged measurement of the run."""
        length = _whole(self.logged_once.get("max_sequence_length"))
        return [
            {
                "run_id": run_id,
                "step": each.samples,
                "tokens": None if each.samples is None or length is None else float(each.samples * length),
                "name": name,
                "value": value,
                "at": each.at,
            }
            for each in self.kept
            if each.key in METRICS
            for name, value in each.measurements()
        ]

    def _status(self, launch: Launch, *, is_last: bool) -> str:
        if launch.run_stop is not None:
            return _STATUSES.get(launch.run_status, "unknown")
        return "timeout" if self.met_time_limit and is_last else "unknown"

    def _final_loss(self, launch: Launch) -> tuple[str | None, float | None]:
        is_loss = (self.benchmark or "").startswith(_WITH_LOSS)
        aliases = {"train_loss": "loss"} | ({"eval_accuracy": "val_loss"} if is_loss else {})
        return last_loss((named for each in launch.measured for named in each.measurements()), aliases)


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


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
