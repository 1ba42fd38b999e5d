"""Weights & Biases: run folders, offline or synced, and exported histories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.casts.number_casts import LARGEST_SIZE
from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.attempts import Span, launches, trained_steps, within
from warehouse.sources.training.chips import chip
from warehouse.sources.training.run_rows import ALIASES, last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, sidecar_paths, with_sidecar
from warehouse.sources.training.table_metrics import read_history
from warehouse.sources.training.wandb_run import LoggedRun, add_files, plain_config, read_wandb

SUMMARY: Final = "files/wandb-summary.json"
METADATA: Final = "files/wandb-metadata.json"
CONFIG: Final = "files/config.yaml"
_FOLDER: Final = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(?P<id>[^/]+)")
_EXPORT: Final = re.compile(r"(?:run-)?(?P<id>[^/.]+)\.(?:history\.)?(?:csv|jsonl|ndjson|parquet)(?:\.gz|\.zst)?")
_GPUS: Final = ("world_size", "gpu_count", "num_gpus", "n_gpus", "gpus")
_JOB_IDS: Final = ("slurm_job_id", "slurm_jobid")
_RANKS: Final = ("rank", "global_rank", "process_index", "local_rank")
_STOPPED: Final = {"end_source": "last_event", "status": "unknown"}


def side_files(file: str) -> Sequence[str]:
    """The other files of the run's folder, and a sidecar."""
    run_folder = _run_folder(file)
    beside = [path for path in _folder_files(*run_folder) if path != file] if run_folder else []
    return [*beside, *sidecar_paths(file)]


def read(delivered: Delivered, source: Source) -> Reading:
    """A run for each folder, told by its `.wandb` file, else by what stands beside it; other files hold no rows.

    Raises:
        RejectedFile: for an exported history, as warehouse.sources.records.batches.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    run_folder = _run_folder(delivered.file)
    if run_folder and delivered.file.endswith(".wandb"):
        return _run(delivered, source, run_folder[1], read_wandb(delivered.content))
    if run_folder:
        return _beside(delivered, source, *run_folder)
    exported = _EXPORT.fullmatch(PurePosixPath(delivered.file).name)
    if exported:
        options = {**source.options, "time_unit": "s"}
        columns = {"step": "_step", "at": "_timestamp"}
        return read_history(delivered, replace(source, options=options, columns=columns), exported["id"])
    return Reading(rows=0, frames={})


def _run_folder(file: str) -> tuple[str, str] | None:
    """The run's folder and its id; None for a file that stands in no such folder."""
    for folder in PurePosixPath(file).parents:
        if match := _FOLDER.fullmatch(folder.name):
            return str(folder), match["id"]
    return None


def _folder_files(folder: str, run_id: str) -> list[str]:
    return [f"{folder}/{name}" for name in (f"run-{run_id}.wandb", SUMMARY, METADATA, CONFIG)]


def _beside(delivered: Delivered, source: Source, folder: str, run_id: str) -> Reading:
    """A file beside is one row; the summary, or without one the metadata, tells of the run where no `.wandb` does."""
    binary, summary, metadata, config = _folder_files(folder, run_id)
    if delivered.file not in (summary, metadata, config):
        return Reading(rows=0, frames={})
    try:
        if delivered.file != config:
            json_object(delivered.content.read_bytes())
    except BadLine as bad:
        refusals = Refusals([("file", bad.reason, "", bad.detail)])
        return Reading(rows=1, frames={}, refused=refusals.frame())
    told_by = next((path for path in (binary, summary, metadata) if path in delivered.side_files), None)
    comes_first = delivered.file == summary or (delivered.file == metadata and told_by is None)
    if told_by == binary or not comes_first:
        return Reading(rows=1, frames={})
    return _run(delivered, source, run_id, LoggedRun(records=1))


def _run(delivered: Delivered, source: Source, run_id: str, logged: LoggedRun) -> Reading:
    run_folder = _run_folder(delivered.file) or ("", run_id)
    _, *names = _folder_files(*run_folder)
    opened = {**delivered.side_files, delivered.file: delivered.content}
    summary, metadata = (_json(opened.get(name)) for name in names[:2])
    metadata = metadata or logged.environment
    add_files(logged, metadata, summary, plain_config(opened[names[2]]) if names[2] in opened else {})
    run = _row(logged, metadata, run_id, sidecar(delivered, source))
    named = {"file_sha256": delivered.sha256, "location": "file", "source": source.name, **run}
    values = list(logged.values())
    metrics = [_metric(str(run["run_id"]), row, name, value) for row, name, value in values]
    starts = plausible_starts(delivered.ahead)
    if named.get("started_at") is not None and named["started_at"] not in starts:
        refused = Refusals([("file", "date_out_of_range", "", "the run starts before 2015 or after the night")])
        return Reading(rows=max(logged.records, 1), frames={}, refused=refused.frame())
    return Reading(
        rows=logged.records,
        frames={
            "run_rows": run_rows(_attempts(named, logged)),
            "metric_rows": metric_rows(delivered.sha256, source.name, metrics),
        },
        flags=("cut",) if logged.is_cut else (),
    )


def _attempts(run: Mapping[str, Any], logged: LoggedRun) -> list[Mapping[str, Any]]:
    """The segment as one attempt, or as several where it stood still; all but the last end with their last record."""
    started, ended = run.get("started_at"), run.get("ended_at")
    spans = [] if started is None else within(launches(logged.times), started, ended)
    return [
        {**run, **steps, "started_at": span.start, **({"ended_at": ended} if span is spans[-1] else _stopped(span))}
        for span, steps in zip(spans, trained_steps(spans, logged.step_times), strict=True)
    ]


def _stopped(span: Span) -> dict[str, Any]:
    return {"ended_at": span.end, **_STOPPED}


def _json(path: Path | None) -> Mapping[str, Any]:
    """A file beside; one that cannot be read is refused where it is read itself."""
    try:
        return json_object(path.read_bytes()) if path else {}
    except BadLine:
        return {}


def _row(
    logged: LoggedRun, metadata: Mapping[str, Any], run_id: str, sidecar_fields: Mapping[str, Any]
) -> dict[str, Any]:
    name, loss = last_loss((name, value) for _, name, value in logged.values())
    if loss is None:
        numbers = {name: value for name, value in logged.summary.items() if isinstance(value, int | float)}
        name, loss = last_loss((name, float(value)) for name, value in numbers.items())
    own = logged.run_id or run_id
    gpu_count, gpu_scope = _gpu_count(logged, metadata)
    run = {
        "run_id": own,
        "run_key": own,
        "job_id": _job_id(logged, metadata),
        "run_group": logged.run_group,
        "rank": _rank(logged),
        "run_name": logged.name or sidecar_fields.get("run_name", own),
        "project": logged.project,
        "started_at": logged.started_at,
        "gpu_model": chip(_gpu(logged, metadata)),
        "gpu_count": gpu_count,
        "gpu_scope": None if "gpu_count" in sidecar_fields else gpu_scope,
        "steps": logged.steps,
        "tokens": _tokens(logged, sidecar_fields),
        "final_loss": loss,
        "loss_name": name,
        **({"hosts": [logged.host]} if logged.host else {}),
    }
    fields = with_sidecar(run | _end(logged), sidecar_fields)
    return fields | {"status": fields.get("status") or "unknown"}


def _end(logged: LoggedRun) -> dict[str, Any]:
    """The last value, or the last moment the run was measured; without an exit it may have gone on after that.

    The clock of the run goes on over its segments, so that only differences of it measure one: those to the exit.
    """
    has_ended = logged.exit_code is not None
    last = max((at for at in (logged.last_logged_at, *logged.measured_at) if at is not None), default=None)
    if last is not None and has_ended and logged.exit_runtime is not None and logged.runtime is not None:
        last += max(0, round((logged.exit_runtime - logged.runtime) * 1_000_000))
    runtime = None if logged.runtime is None else round(logged.runtime * 1_000_000)
    reckoned = None if logged.started_at is None or runtime is None else logged.started_at + runtime
    ended_at = next((at for at in (last, reckoned, logged.started_at) if at is not None), None)
    if has_ended:
        return {"ended_at": ended_at, "end_source": "logged", "status": "failed" if logged.exit_code else "finished"}
    return {"ended_at": ended_at, **_STOPPED, "status": "failed" if logged.is_cut else None}


def _job_id(logged: LoggedRun, metadata: Mapping[str, Any]) -> str | None:
    """The job of Slurm that the process ran in."""
    slurm = metadata.get("slurm")
    noted = slurm.get("job_id") if isinstance(slurm, dict) else None
    stated = noted if noted is not None else next(
        (value for name, value in logged.config.items() if name.lower() in _JOB_IDS and value is not None), None
    )  # fmt: skip
    return None if stated is None else str(stated)


def _rank(logged: LoggedRun) -> int | None:
    """The number of the process among those of one job; trainers that are alone note 0 or -1, too."""
    written = {
        name.lower().replace("-", "_").rpartition("/")[2].rpartition(".")[2]: value
        for name, value in logged.config.items()
    }
    stated = (str(written[name]) for name in _RANKS if written.get(name) is not None)
    return next((int(text) for text in stated if text.isascii() and text.isdigit()), None)


def _gpu(logged: LoggedRun, metadata: Mapping[str, Any]) -> str | None:
    listed = metadata.get("gpu_nvidia")
    first = listed[0] if isinstance(listed, list) and listed else {}
    named = metadata.get("gpu") or (first.get("name") if isinstance(first, dict) else None)
    return str(named or logged.config.get("gpu_type") or "") or None


def _gpu_count(logged: LoggedRun, metadata: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """GPUs and whose they are: those of all ranks, those that the client saw in its machine, or as the settings say.

    A client that looked at its machine and saw none ran without GPUs.
    """
    stated = [
        (logged.config.get(_GPUS[0]), "job"),
        (metadata.get("gpu_count"), "host"),
        *((logged.config.get(name), None) for name in _GPUS[1:]),
        (0 if "cpu_count" in metadata and not metadata.get("gpu") else None, None),
    ]
    written = ((str(value), scope) for value, scope in stated if value is not None)
    numbers = ((float(text), scope) for text, scope in written if text.isascii() and text.replace(".", "", 1).isdigit())
    return next(((number, scope) for number, scope in numbers if number <= LARGEST_SIZE), (None, None))


def _tokens(logged: LoggedRun, sidecar_fields: Mapping[str, Any]) -> float | None:
    counted = [value for _, name, value in logged.values() if ALIASES.get(name) == "tokens"]
    if counted:
        return max(counted)
    each = sidecar_fields.get("tokens_per_step")
    return None if each is None or logged.steps is None else float(each) * logged.steps


def _metric(run_id: str, row: Mapping[str, Any], name: str, value: float) -> dict[str, Any]:
    step, at = row.get("_step"), row.get("_timestamp")
    tokens = next((row[each] for each in row if ALIASES.get(each) == "tokens"), None)
    return {
        "run_id": run_id,
        "step": int(step) if isinstance(step, int | float) else None,
        "tokens": float(tokens) if isinstance(tokens, int | float) else None,
        "name": name,
        "value": value,
        "at": round(at * 1_000_000) if isinstance(at, int | float) else None,
    }
