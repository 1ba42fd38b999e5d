"""The runs of an MLflow store: GPUs from parameters and tags, children within the time of their parent."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from warehouse.sources.casts.number_casts import LARGEST_SIZE
from warehouse.sources.training.chips import chip
from warehouse.sources.training.run_rows import ALIASES, last_loss

_MILLI: Final = 1000
_DAY: Final = 86_400 * 1_000_000
_STATUSES: Final = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "cancelled"}
_COUNTS: Final = ("gpu_count", "num_gpus", "world_size", "n_gpus")
_CHIPS: Final = ("gpu_model", "gpu_type", "gpu", "accelerator")
_UTILIZATION: Final = re.compile(r"system/gpu_(\d+)_utilization_percentage")
_FROM_SIDECAR: Final = ("gpu_count", "gpu_model", "cluster", "hosts")
_DELETED: Final = "deleted"

Row = Mapping[str, Any]


class Store:
    """The rows of a store, by run."""

    def __init__(self, tables: Mapping[str, Sequence[Row]], said: Row) -> None:
        self._runs = sorted(tables["runs"], key=lambda run: str(run["run_uuid"]))
        self._experiments = {experiment["experiment_id"]: experiment for experiment in tables["experiments"]}
        self._said = {name: said[name] for name in _FROM_SIDECAR if name in said}
        self._settings: dict[str, dict[str, str]] = defaultdict(dict)
        for row in (*tables["params"], *tables["tags"]):
            self._settings[row["run_uuid"]][row["key"]] = str(row["value"])
        self._metrics: dict[str, list[Row]] = defaultdict(list)
        for row in tables["metrics"]:
            self._metrics[row["run_uuid"]].append(row)

    def runs(self, night_start: int) -> Iterator[dict[str, Any]]:
        """Every run as a row of raw.run_rows; what a child holds is held by its parent already."""
        told = {run["run_uuid"]: self._run(run, night_start) for run in self._runs}
        for run in told.values():
            parent = told.get(run["parent_run_id"])
            yield run | {"gpu_count": 0.0} if parent and parent["gpu_count"] and _is_within(run, parent) else run

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
        found = self._experiments.get(run["experiment_id"], {}).get(column)
        return None if found is None else str(found)

    def _run(self, run: Row, night_start: int) -> dict[str, Any]:
        run_id, settings = run["run_uuid"], self._settings[run["run_uuid"]]
        logged = self._metrics[run_id]
        name, loss = last_loss((row["key"], _value(row)) for row in logged)
        tokens = [_value(row) for row in logged if ALIASES.get(row["key"]) == "tokens"]
        host = settings.get("mlflow.host")
        return {
            "run_id": run_id,
            "run_key": run_id,
            "parent_run_id": settings.get("mlflow.parentRunId"),
            "run_name": run["name"] or settings.get("mlflow.runName"),
            "project": self._experiment(run, "name"),
            "hosts": [host] if host else [],
            "gpu_count": _gpu_count(settings, logged),
            "gpu_model": next((chip(settings[each]) for each in _CHIPS if settings.get(each)), None),
            "tokens": max(tokens, default=None),
            "steps": max((row["step"] for row in logged), default=None),
            "final_loss": loss,
            "loss_name": name,
            **self._said,
            **_course(run, logged, night_start),
        }


def _value(row: Row) -> float:
    return math.nan if row["is_nan"] else float(row["value"])


def _course(run: Row, logged: Sequence[Row], night_start: int) -> dict[str, Any]:
    """A run without end goes on if it logged anything in the day before the night; else it stopped unseen."""
    started = None if run["start_time"] is None else run["start_time"] * _MILLI
    last = max((row["timestamp"] * _MILLI for row in logged), default=started)
    status = _STATUSES.get(run["status"])
    if run["end_time"] is not None:
        ended, status = run["end_time"] * _MILLI, status or "unknown"
        return {"started_at": started, "ended_at": ended, "end_source": "logged", "status": status}
    if status is None and last is not None and last > night_start - _DAY:
        return {"started_at": started, "ended_at": None, "end_source": "censored", "status": "running"}
    return {"started_at": started, "ended_at": last, "end_source": "last_event", "status": status or "unknown"}


def _gpu_count(settings: Mapping[str, str], logged: Sequence[Row]) -> float | None:
    """GPUs as set, else devices of all nodes, else as many as the system's own metrics saw."""
    stated = (_size(settings.get(name, "")) for name in _COUNTS)
    if (counted := next((number for number in stated if number is not None), None)) is not None:
        return counted
    devices, nodes = _size(settings.get("devices", "")), _size(settings.get("num_nodes", "1"))
    if devices is not None and nodes is not None and devices * nodes <= LARGEST_SIZE:
        return devices * nodes
    seen = {found[1] for row in logged if (found := _UTILIZATION.fullmatch(row["key"]))}
    return float(len(seen)) if seen else None


def _size(text: str) -> float | None:
    """A whole number of GPUs, devices or nodes; what cannot be one says nothing."""
    return float(text) if text.isdecimal() and float(text) <= LARGEST_SIZE else None


def _is_within(run: Row, parent: Row) -> bool:
    """Whether a run holds no time that its parent does not hold."""
    if run["started_at"] is None or parent["started_at"] is None:
        return False
    has_end = parent["ended_at"] is not None and run["ended_at"] is not None
    ends_before = parent["ended_at"] is None or (has_end and run["ended_at"] <= parent["ended_at"])
    return bool(parent["started_at"] <= run["started_at"] and ends_before)
