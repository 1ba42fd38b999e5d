"""The runs of an MLflow store: GPUs from parameters, tags and system metrics, attempts from holes in the values."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from warehouse.sources.casts.number_casts import LARGEST_SIZE
from warehouse.sources.training.attempts import launches, trained_steps, within
from warehouse.sources.training.chips import chip
from warehouse.sources.training.run_rows import ALIASES, last_loss

_MILLI: Final = 1000
_DAY: Final = 86_400 * 1_000_000
_STATUSES: Final = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "cancelled"}
_COUNTS: Final = ("gpu_count", "num_gpus", "world_size", "n_gpus")
_CHIPS: Final = ("gpu_model", "gpu_type", "gpu", "accelerator")
_UTILIZATION: Final = re.compile(r"system/(?:(.+)/)?gpu_(\d+)_utilization_percentage")
_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_LIST: Final = re.compile(r"[\[(]\s*(\d+(?:\s*,\s*\d+)*)\s*,?\s*[\])]", re.ASCII)
_WORLD: Final = "world_size"
_JOB_IDS: Final = ("SLURM_JOB_ID", "slurm_job_id", "SLURM_JOBID")
_RANKS: Final = ("rank", "global_rank", "process_index", "local_rank", "RANK", "LOCAL_RANK")
_STOPPED: Final = {"end_source": "last_event", "status": "unknown"}
_FROM_SIDECAR: Final = ("gpu_count", "gpu_model", "cluster", "hosts", "sidecar")
_DELETED: Final = "deleted"

Row = Mapping[str, Any]


class Store:
    """The rows of a store, by run."""

    def __init__(self, tables: Mapping[str, Sequence[Row]], sidecar_fields: Row) -> None:
        self._runs = sorted(tables["runs"], key=lambda run: str(run["run_uuid"]))
        self._experiments = {experiment["experiment_id"]: experiment for experiment in tables["experiments"]}
        self._sidecar_fields = {name: sidecar_fields[name] for name in _FROM_SIDECAR if name in sidecar_fields}
        self._settings: dict[str, dict[str, str]] = defaultdict(dict)
        for row in (*tables["params"], *tables["tags"]):
            self._settings[row["run_uuid"]][row["key"]] = str(row["value"])
        self._metrics: dict[str, list[Row]] = defaultdict(list)
        for row in tables["metrics"]:
            self._metrics[row["run_uuid"]].append(row)

    def runs(self, night_start: int) -> Iterator[list[dict[str, Any]]]:
        """Every run as rows of raw.run_rows, one for each attempt."""
        return (self._attempts(run, night_start) for run in self._runs)

    def metrics(self) -> Iterator[dict[str, Any]]:
        """Every logged value."""
        for run_id, logged in sorted(self._metrics.items()):
            for row in logged:
                yield {
                    "run_id": run_id,
                    "step": row["step"],
                    "name": row["key"],
                    "value": _value(row),
                    "at": row["timestamp"] * _MILLI,
                }

    def flags(self) -> tuple[str, ...]:
        """Facts worth knowing: some runs were deleted, some go on."""
        deleted = [
            run for run in self._runs if _DELETED in (run["lifecycle_stage"], self._experiment(run, "lifecycle_stage"))
        ]
        going_on = [run for run in self._runs if run["status"] not in _STATUSES]
        return (*(("deleted_runs",) if deleted else ()), *(("still_running",) if going_on else ()))

    def _experiment(self, run: Row, column: str) -> str | None:
        value = self._experiments.get(run["experiment_id"], {}).get(column)
        return None if value is None else str(value)

    def _attempts(self, run: Row, night_start: int) -> list[dict[str, Any]]:
        """The run as its settings and values tell it, once for each time without a hole in them."""
        run_id, settings = run["run_uuid"], self._settings[run["run_uuid"]]
        logged = self._metrics[run_id]
        name, loss = last_loss((row["key"], _value(row)) for row in logged)
        tokens = [_value(row) for row in logged if ALIASES.get(row["key"]) == "tokens"]
        host = settings.get("mlflow.host")
        gpu_count, gpu_scope = _gpu_count(settings, logged)
        parent = settings.get("mlflow.parentRunId")
        rank = next((int(settings[each]) for each in _RANKS if settings.get(each, "").isdecimal()), None)
        run_fields = {
            "run_id": run_id,
            "run_key": run_id,
            "job_id": next((settings[each] for each in _JOB_IDS if settings.get(each)), None),
            "run_group": None if rank is None else parent,
            "rank": rank,
            "parent_run_id": parent,
            "run_name": run["name"] or settings.get("mlflow.runName"),
            "project": self._experiment(run, "name"),
            "hosts": [host] if host else [],
            "gpu_count": gpu_count,
            "gpu_scope": None if "gpu_count" in self._sidecar_fields else gpu_scope,
            "gpu_model": next((chip(settings[each]) for each in _CHIPS if settings.get(each)), None),
            "tokens": max(tokens, default=None),
            "steps": max((row["step"] for row in logged), default=None),
            "final_loss": loss,
            "loss_name": name,
            **self._sidecar_fields,
        }
        return [run_fields | course for course in _courses(run, logged, night_start)]


def _value(row: Row) -> float:
    return math.nan if row["is_nan"] else float(row["value"])


def _courses(run: Row, logged: Sequence[Row], night_start: int) -> Iterator[dict[str, Any]]:
    """When each attempt began and ended; where values stop and go on long after, nothing ran in between.

    An end before the last value is that of an earlier session, and is not believed. A run without end goes on if it
    logged anything in the day before the night; else it stopped unseen. One that finished was alive until its end;
    where another ended in a hole, somebody noted later that it had died.
    """
    started = None if run["start_time"] is None else run["start_time"] * _MILLI
    times = [row["timestamp"] * _MILLI for row in logged]
    last = max(times, default=started)
    ended = None if run["end_time"] is None else run["end_time"] * _MILLI
    status = _STATUSES.get(run["status"])
    is_believed = ended is not None and (last is None or ended >= last)
    end: dict[str, Any]
    if is_believed:
        end = {"ended_at": ended, "end_source": "logged", "status": status or "unknown"}
    elif status is None and last is not None and last > night_start - _DAY:
        end = {"ended_at": None, "end_source": "censored", "status": "running"}
    else:
        end = {"ended_at": last, "end_source": "last_event", "status": status or "unknown"}
    spans = launches(times)
    if ended is not None and is_believed and status != "finished" and len(launches([*times, ended])) > len(spans) > 0:
        end["ended_at"] = last
    opened = within(spans, started, end["ended_at"])
    steps = trained_steps(opened, zip(times, (row["step"] for row in logged), strict=True))
    for span, trained in zip(opened, steps, strict=True):
        close = end if span is opened[-1] else {"ended_at": span.end, **_STOPPED}
        yield {"started_at": span.start, **close, **trained}
    if not opened:
        yield {"started_at": started, **end}


def _gpu_count(settings: Mapping[str, str], logged: Sequence[Row]) -> tuple[float | None, str | None]:
    """GPUs and whose: as set, else devices of all nodes, else as many as system metrics saw in the machines.

    Metrics that name no node are those of one of the nodes.
    """
    stated = ((_size(settings.get(name, "")), "job" if name == _WORLD else None) for name in _COUNTS)
    if (counted := next((number for number in stated if number[0] is not None), None)) is not None:
        return counted
    devices, nodes = _devices(settings.get("devices", "")), _size(settings.get("num_nodes", "1"))
    if devices is not None and nodes is not None and devices * nodes <= LARGEST_SIZE:
        return devices * nodes, "job"
    seen = {match.groups() for row in logged if (match := _UTILIZATION.fullmatch(row["key"]))}
    if not seen:
        return None, None
    if {node for node, _ in seen} == {None} and nodes is not None and nodes > 1:
        return len(seen) * nodes, "job"
    return float(len(seen)), "host" if len({node for node, _ in seen}) == 1 else "job"


def _devices(text: str) -> float | None:
    """A number of devices, or as many as a list names."""
    listed = _LIST.fullmatch(text)
    return float(len(set(listed[1].replace(" ", "").split(",")))) if listed else _size(text)


def _size(text: str) -> float | None:
    """A number of GPUs, devices or nodes; what cannot be one says nothing."""
    return float(text) if _NUMBER.fullmatch(text) and float(text) <= LARGEST_SIZE else None
