"""What a Weights & Biases run says of itself, in its `.wandb` file or in the JSON and YAML beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from warehouse.sources.casts.date_guard import microseconds_of
from warehouse.sources.training import wandb_blocks as blocks
from warehouse.sources.training.wandb_blocks import Message

_HISTORY, _SUMMARY, _STATS, _RUN, _EXIT = 2, 3, 7, 17, 18
_TIMESTAMP, _STEP, _RUNTIME = "_timestamp", "_step", "_runtime"
_SECOND: Final = 1_000_000


@dataclass
class LoggedRun:
    """The facts of one run, as far as they are told; instants in microseconds since 1970."""

    run_id: str | None = None
    name: str | None = None
    project: str | None = None
    host: str | None = None
    run_group: str | None = None
    started_at: int | None = None
    exit_code: int | None = None
    exit_runtime: int | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    measured_at: list[int] = field(default_factory=list)
    records: int = 0
    is_cut: bool = False

    @property
    def runtime(self) -> float | None:
        """Seconds that the run took, as the clock that goes on over all its segments says."""
        logged = [row[_RUNTIME] for row in (*self.history, self.summary) if _is_number(row.get(_RUNTIME))]
        return max(logged, default=None)

    @property
    def times(self) -> list[int]:
        """When anything was logged, values and measurements of the machine."""
        return [*(round(at * _SECOND) for at in self._logged(_TIMESTAMP)), *self.measured_at]

    @property
    def step_times(self) -> list[tuple[int, int]]:
        """When each step was logged, and the step."""
        rows = [row for row in self.history if _is_number(row.get(_STEP)) and _is_number(row.get(_TIMESTAMP))]
        return [(round(row[_TIMESTAMP] * _SECOND), int(row[_STEP])) for row in rows]

    def _logged(self, name: str) -> list[float]:
        return [row[name] for row in self.history if _is_number(row.get(name))]

    @property
    def last_logged_at(self) -> int | None:
        """When the last value was logged."""
        logged = [row[_TIMESTAMP] for row in (*self.history, self.summary) if _is_number(row.get(_TIMESTAMP))]
        return round(max(logged) * _SECOND) if logged else None

    @property
    def steps(self) -> int | None:
        """The last step."""
        logged = [row[_STEP] for row in (*self.history, self.summary) if _is_number(row.get(_STEP))]
        return int(max(logged)) if logged else None

    @property
    def environment(self) -> Mapping[str, Any]:
        """What the client noted of its machine within the settings of the run."""
        noted = self.config.get("_wandb")
        writers = noted.get("e") if isinstance(noted, dict) else None
        machines = (
            [machine for machine in writers.values() if isinstance(machine, dict)] if isinstance(writers, dict) else []
        )
        return machines[0] if machines else {}

    def values(self) -> Iterable[tuple[dict[str, Any], str, float]]:
        """Every number of the history under its name, with the row it stands in."""
        return (
            (row, name, float(value))
            for row in self.history
            for name, value in row.items()
            if not name.startswith("_") and isinstance(value, int | float) and not isinstance(value, bool)
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_wandb(content: Path) -> LoggedRun:
    """Everything up to the end of the file, or to the record within which it was cut."""
    logged = LoggedRun()
    try:
        for payload in blocks.records(content):
            _add(logged, blocks.message(payload))
            logged.records += 1
    except blocks.CutRecordError:
        logged.is_cut = True
    return logged


def _add(logged: LoggedRun, record: Message) -> None:
    for run in blocks.inner(record, _RUN):
        _add_run(logged, run)
    for history in blocks.inner(record, _HISTORY):
        logged.history.append(dict(_item(item) for item in blocks.inner(history, 1)))
    for summary in blocks.inner(record, _SUMMARY):
        logged.summary |= dict(_item(item) for item in blocks.inner(summary, 1))
    for measured in blocks.inner(record, _STATS):
        logged.measured_at += [_instant(at) for at in blocks.inner(measured, 2)]
    for ended in blocks.inner(record, _EXIT):
        logged.exit_code, logged.exit_runtime = blocks.whole(ended, 1) or 0, blocks.whole(ended, 2)


def _add_run(logged: LoggedRun, run: Message) -> None:
    logged.run_id, logged.project = blocks.text(run, 1), blocks.text(run, 3)
    logged.name, logged.host = blocks.text(run, 8), blocks.text(run, 13)
    logged.run_group = blocks.text(run, 6)
    for start in blocks.inner(run, 17):
        logged.started_at = _instant(start)
    for config in blocks.inner(run, 4):
        logged.config |= dict(_item(item) for item in blocks.inner(config, 1))


def _instant(message: Message) -> int:
    """Seconds and nanoseconds as microseconds since 1970."""
    return (blocks.whole(message, 1) or 0) * _SECOND + (blocks.whole(message, 2) or 0) // 1000


def _item(item: Message) -> tuple[str, Any]:
    """Name and value; older files hold the value as JSON, newer ones may hold it typed."""
    nested = [part.decode("utf-8", "replace") for part in item.get(2, ()) if isinstance(part, bytes)]
    name = blocks.text(item, 1) or "/".join(nested)
    written = blocks.text(item, 16) or blocks.text(item, 8)
    if written is not None:
        return name, _parsed(written)
    typed = (blocks.double(item, 6), _signed(blocks.whole(item, 5)), blocks.whole(item, 4), blocks.text(item, 7))
    return name, next((value for value in typed if value is not None), None)


def _signed(number: int | None) -> int | None:
    """A varint is the two's complement of a negative number."""
    return number - (1 << 64) if number is not None and number >> 63 else number


def _parsed(written: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(written)
    except ValueError:
        return written


def add_files(
    logged: LoggedRun, metadata: Mapping[str, Any], summary: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
    """What the files beside say; the `.wandb` file wins where both speak."""
    started = metadata.get("startedAt")
    if logged.started_at is None and isinstance(started, str):
        moment = datetime.fromisoformat(started)
        logged.started_at = microseconds_of(moment.astimezone() if moment.tzinfo is None else moment)
    logged.host = logged.host or metadata.get("host")
    logged.summary = {**summary, **logged.summary}
    logged.config = {**config, **logged.config}


def plain_config(content: Path) -> Mapping[str, str]:
    """The settings of config.yaml that are one word or number: `name:` and below it `value: …`."""
    settings: dict[str, str] = {}
    name = ""
    for line in content.read_text("utf-8", "replace").splitlines():
        key, _, value = line.strip().partition(":")
        if line and not line[0].isspace():
            name = key.strip("\"'")
        if key == "value" and value.strip() and len(line) - len(line.lstrip()) <= 4:  # noqa: PLR2004 - one level deep
            settings.setdefault(name, value.strip().strip("\"'"))
    return settings
