"""Hugging Face trainers: `trainer_state.json` with its log, and a sidecar for what it never says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.run_rows import last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, sidecar_paths, with_sidecar

RESULTS: Final = "train_results.json"
_CHECKPOINT: Final = re.compile(r"checkpoint-\d+")
_MICRO: Final = 1_000_000
_NO_METRICS: Final = frozenset({"step", "epoch"})
_TOKENS: Final = ("num_tokens", "num_input_tokens_seen")
_TELLING: Final = 5
"""Rows of a log by which a copy of it is known in another folder."""


def side_files(file: str) -> Sequence[str]:
    """The results beside the state, and a sidecar."""
    results = str(PurePosixPath(file).parent / RESULTS)
    return [*([results] if results != file else []), *sidecar_paths(file)]


def read(delivered: Delivered, source: Source) -> Reading:
    """A state is one run and as many rows as its log; other JSON is one row that counts nothing, other files none.

    A checkpoint that was saved before anything was logged says nothing that a later one does not.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    if ".json" not in PurePosixPath(delivered.file).suffixes:
        return Reading(rows=0, frames={})
    try:
        state = json_object(delivered.content.read_bytes().strip())
        if "log_history" not in state:
            return Reading(rows=1, frames={})
        trainer_state = _State.of(state)
        is_early = (
            not trainer_state.log and _CHECKPOINT.fullmatch(PurePosixPath(delivered.file).parent.name) is not None
        )
        return Reading(rows=1, frames={}) if is_early else _run(delivered, source, trainer_state)
    except BadLine as bad:
        return Reading(rows=1, frames={}, refused=Refusals([("file", bad.reason, "", bad.detail)]).frame())


@dataclass(frozen=True)
class _State:
    """What a trainer knows: how far it came, and its log."""

    steps: int
    max_steps: int
    logging_steps: int
    tokens_seen: float
    log: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> _State:
        """The state of a trainer.

        Raises:
            BadLine: bad_json if the log is none, bad_count if a count is none.
        """
        log = state["log_history"]
        if not isinstance(log, list) or not all(isinstance(row, dict) for row in log):
            raise BadLine("bad_json", "log_history is no list of objects")
        counts = [
            state.get(name) or 0 for name in ("global_step", "max_steps", "logging_steps", "num_input_tokens_seen")
        ]
        if not all(isinstance(number, int | float) and number >= 0 for number in counts):
            raise BadLine("bad_count", "a count of steps or tokens is negative or no number")
        steps, max_steps, logging_steps, tokens = counts
        return cls(int(steps), int(max_steps), int(logging_steps), float(tokens), log)

    @property
    def runtime(self) -> float | None:
        """Seconds trained by the processes that came to their end: each that went on from another logs its own."""
        took = [row["train_runtime"] for row in self.log if _is_number(row.get("train_runtime"))]
        return sum(took) if took else None

    @property
    def is_resumed(self) -> bool:
        """The log begins later than it would have at the start: what came before ran in another process."""
        first = next((row["step"] for row in self.log if "loss" in row and _is_number(row.get("step"))), 0)
        return bool(self.logging_steps and first > self.logging_steps)

    def identity(self, folder: str) -> str:
        """Checkpoints of one run begin alike, however far it is to go on; early ones have logged no more than once."""
        return _digest([self.log[:1], folder])

    @property
    def log_key(self) -> str | None:
        """What copies of the log say alike in any folder: so many rows to the last digit are no other training's."""
        return _digest(self.log[:_TELLING]) if len(self.log) >= _TELLING else None

    def tokens(self, per_step: float | None) -> float | None:
        """Tokens trained on: as logged, as counted, or as the sidecar reckons."""
        logged = [row[_TOKENS[0]] for row in self.log if _is_number(row.get(_TOKENS[0]))]
        reckoned = None if per_step is None else per_step * self.steps
        return float(max(logged)) if logged else self.tokens_seen or reckoned

    def values(self) -> Iterator[tuple[Mapping[str, Any], str, float]]:
        """Every number of the log under its name, with the row it stands in."""
        return (
            (row, name, float(value))
            for row in self.log
            for name, value in row.items()
            if name not in _NO_METRICS and _is_number(value)
        )


def _digest(begin: object) -> str:
    return hashlib.sha256(msgspec.json.encode(begin)).hexdigest()[:16]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _folder(file: str) -> str:
    """The folder of the run: the one above its checkpoints."""
    parent = PurePosixPath(file).parent
    return str(parent.parent if _CHECKPOINT.fullmatch(parent.name) else parent)


def _run(delivered: Delivered, source: Source, state: _State) -> Reading:
    sidecar_fields, folder = sidecar(delivered, source), _folder(delivered.file)
    key = state.identity(folder)
    name, loss = last_loss((name, value) for row, name, value in state.values() if "train_runtime" not in row)
    run = {
        "file_sha256": delivered.sha256,
        "location": "file",
        "source": source.name,
        "run_key": key,
        "log_key": state.log_key,
        "run_id": f"{folder}#{key[:8]}" if "run_id" not in sidecar_fields else None,
        "run_name": PurePosixPath(folder).name if "run_name" not in sidecar_fields else None,
        "steps": state.steps,
        "tokens": state.tokens(_number(sidecar_fields.get("tokens_per_step"))),
        "final_loss": loss,
        "loss_name": name,
    }
    fields = with_sidecar(run, sidecar_fields) | _course(state, sidecar_fields, _results(delivered))
    started = fields.get("started_at")
    if started is not None and started not in plausible_starts(delivered.ahead):
        raise BadLine("date_out_of_range", "the run starts before 2015 or after the night")
    return Reading(
        rows=max(len(state.log), 1),
        frames={
            "run_rows": run_rows([fields]),
            "metric_rows": metric_rows(delivered.sha256, source.name, _metrics(str(fields["run_id"]), state)),
        },
        flags=("resumed",) if state.is_resumed else (),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _results(delivered: Delivered) -> Mapping[str, Any]:
    """The results beside; if they cannot be read they are refused where they are read themselves."""
    path = delivered.side_files.get(str(PurePosixPath(delivered.file).parent / RESULTS))
    try:
        return json_object(path.read_bytes().strip()) if path else {}
    except BadLine:
        return {}


def _course(state: _State, sidecar_fields: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, object]:
    """Start and end: one of them and how long it took give the other; without any time a run costs nothing."""
    runtime = _number(state.runtime) if state.runtime is not None else _number(results.get("train_runtime"))
    took = None if runtime is None else round(runtime * _MICRO)
    started, ended = sidecar_fields.get("started_at"), sidecar_fields.get("ended_at")
    if started is None and ended is not None and took is not None:
        started = ended - took
    if ended is None and started is not None and took is not None:
        ended = started + took
    is_over = runtime is not None or state.steps >= state.max_steps
    ended = started if ended is None and is_over else ended
    has_end = ended is not None and (took is not None or "ended_at" in sidecar_fields)
    is_finished = started is not None and runtime is not None and state.steps >= state.max_steps
    status = sidecar_fields.get("status") or ("finished" if is_finished else "unknown")
    source = "logged" if has_end else "last_event" if is_over or started is None else "censored"
    return {"started_at": started, "ended_at": ended, "end_source": source, "status": status}


def _metrics(run_id: str, state: _State) -> list[Mapping[str, object]]:
    return [
        {
            "run_id": run_id,
            "step": int(row["step"]) if _is_number(row.get("step")) else None,
            "tokens": next((float(row[each]) for each in _TOKENS if _is_number(row.get(each))), None),
            "name": name,
            "value": value,
        }
        for row, name, value in state.values()
    ]
