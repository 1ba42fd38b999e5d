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
from warehouse.sources.training.chips import chip
from warehouse.sources.training.run_rows import ALIASES, last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, sidecar_paths, with_sidecar
from warehouse.sources.training.table_metrics import read_history
from warehouse.sources.training.wandb_run import Told, add_files, plain_config, read_wandb

SUMMARY: Final = "files/wandb-summary.json"
METADATA: Final = "files/wandb-metadata.json"
CONFIG: Final = "files/config.yaml"
_FOLDER: Final = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(?P<id>[^/]+)")
_EXPORT: Final = re.compile(r"(?:run-)?(?P<id>[^/.]+)\.(?:history\.)?(?:csv|jsonl|ndjson|parquet)(?:\.gz|\.zst)?")
_GPUS: Final = ("world_size", "gpu_count", "num_gpus", "n_gpus", "gpus")


def side_files(file: str) -> Sequence[str]:
    """The other files of the run's folder, and a sidecar."""
    place = _place(file)
    beside = [path for path in _known(*place) if path != file] if place else []
    return [*beside, *sidecar_paths(file)]


def read(delivered: Delivered, source: Source) -> Reading:
    """A run for each folder, told by its `.wandb` file, else by what stands beside it; other files hold no rows.

    Raises:
        RejectedFile: for an exported history, as warehouse.sources.records.batches.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    place = _place(delivered.file)
    if place and delivered.file.endswith(".wandb"):
        return _run(delivered, source, place[1], read_wandb(delivered.content))
    if place:
        return _beside(delivered, source, *place)
    exported = _EXPORT.fullmatch(PurePosixPath(delivered.file).name)
    if exported:
        options = {**source.options, "time_unit": "s"}
        columns = {"step": "_step", "at": "_timestamp"}
        return read_history(delivered, replace(source, options=options, columns=columns), exported["id"])
    return Reading(rows=0, frames={})


def _place(file: str) -> tuple[str, str] | None:
    """The run's folder and its id; None for a file that stands in no such folder."""
    for folder in PurePosixPath(file).parents:
        if found := _FOLDER.fullmatch(folder.name):
            return str(folder), found["id"]
    return None


def _known(folder: str, run_id: str) -> list[str]:
    return [f"{folder}/{name}" for name in (f"run-{run_id}.wandb", SUMMARY, METADATA, CONFIG)]


def _beside(delivered: Delivered, source: Source, folder: str, run_id: str) -> Reading:
    """A file beside is one row; the summary, or without one the metadata, tells of the run where no `.wandb` does."""
    binary, summary, metadata, config = _known(folder, run_id)
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
    return _run(delivered, source, run_id, Told(records=1))


def _run(delivered: Delivered, source: Source, run_id: str, told: Told) -> Reading:
    place = _place(delivered.file) or ("", run_id)
    _, *names = _known(*place)
    opened = {**delivered.side_files, delivered.file: delivered.content}
    summary, metadata = (_json(opened.get(name)) for name in names[:2])
    metadata = metadata or told.environment
    add_files(told, metadata, summary, plain_config(opened[names[2]]) if names[2] in opened else {})
    run = _row(told, metadata, run_id, sidecar(delivered, source))
    named = {"file_sha256": delivered.sha256, "location": "file", "source": source.name, **run}
    values = list(told.values())
    metrics = [_metric(str(run["run_id"]), row, name, value) for row, name, value in values]
    starts = plausible_starts(delivered.ahead)
    if named.get("started_at") is not None and named["started_at"] not in starts:
        refused = Refusals([("file", "date_out_of_range", "", "the run starts before 2015 or after the night")])
        return Reading(rows=max(told.records, 1), frames={}, refused=refused.frame())
    return Reading(
        rows=told.records,
        frames={
            "run_rows": run_rows([named] if named.get("started_at") is not None else []),
            "metric_rows": metric_rows(delivered.sha256, source.name, metrics),
        },
        flags=("cut",) if told.is_cut else (),
    )


def _json(path: Path | None) -> Mapping[str, Any]:
    """A file beside; one that cannot be read is refused where it is read itself."""
    try:
        return json_object(path.read_bytes()) if path else {}
    except BadLine:
        return {}


def _row(told: Told, metadata: Mapping[str, Any], run_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
    name, loss = last_loss((name, value) for _, name, value in told.values())
    if loss is None:
        numbers = {name: value for name, value in told.summary.items() if isinstance(value, int | float)}
        name, loss = last_loss((name, float(value)) for name, value in numbers.items())
    own = told.run_id or run_id
    run = {
        "run_id": f"{own}@{told.started_at}" if told.is_resumed else own,
        "run_key": f"{own}@{told.started_at}",
        "parent_run_id": own if told.is_resumed else None,
        "run_name": told.name or said.get("run_name", own),
        "project": told.project,
        "started_at": told.started_at,
        "gpu_model": chip(_gpu(told, metadata)),
        "gpu_count": _gpu_count(told, metadata),
        "steps": told.steps,
        "tokens": _tokens(told, said),
        "final_loss": loss,
        "loss_name": name,
        **({"hosts": [told.host]} if told.host else {}),
    }
    known = with_sidecar(run | _end(told), said)
    return known | {"status": known.get("status") or "unknown"}


def _end(told: Told) -> dict[str, Any]:
    """Start and runtime where the run ended in order; else the last value, after which it may have gone on."""
    runtime = None if told.runtime is None else round(told.runtime * 1_000_000)
    reckoned = None if told.started_at is None or runtime is None else told.started_at + runtime
    if told.exit_code is not None:
        ended_at = reckoned if reckoned is not None else told.last_logged_at
        status = "failed" if told.exit_code else "finished"
        return {"ended_at": ended_at or told.started_at, "end_source": "logged", "status": status}
    last = told.last_logged_at if told.history else None
    ended_at = next((at for at in (last, reckoned, told.started_at) if at is not None), None)
    return {"ended_at": ended_at, "end_source": "last_event", "status": "failed" if told.is_cut else None}


def _gpu(told: Told, metadata: Mapping[str, Any]) -> str | None:
    listed = metadata.get("gpu_nvidia")
    first = listed[0] if isinstance(listed, list) and listed else {}
    named = metadata.get("gpu") or (first.get("name") if isinstance(first, dict) else None)
    return str(named or told.config.get("gpu_type") or "") or None


def _gpu_count(told: Told, metadata: Mapping[str, Any]) -> float | None:
    stated = [told.config.get(_GPUS[0]), metadata.get("gpu_count"), *(told.config.get(name) for name in _GPUS[1:])]
    written = (str(value) for value in stated if value is not None)
    numbers = (float(text) for text in written if text.isascii() and text.replace(".", "", 1).isdigit())
    return next((number for number in numbers if number <= LARGEST_SIZE), None)


def _tokens(told: Told, said: Mapping[str, Any]) -> float | None:
    counted = [value for _, name, value in told.values() if ALIASES.get(name) == "tokens"]
    if counted:
        return max(counted)
    each = said.get("tokens_per_step")
    return None if each is None or told.steps is None else float(each) * told.steps


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
