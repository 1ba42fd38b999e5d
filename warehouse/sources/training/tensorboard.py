"""TensorBoard event files: a folder is a run, each of its files a segment by the time of its events.

What Keras and estimators write into `train`, `validation` and `eval` is told of the run in the folder above.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.training.attempts import launches, trained_steps
from warehouse.sources.training.run_rows import ALIASES, last_loss, metric_rows, run_rows
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar, sidecar, with_sidecar

_MARK: Final = ".tfevents."
_HOST: Final = re.compile(r"\.tfevents\.\d+\.(?P<host>.+?)(?:\.\d+\.\d+)?(?:\.v2)?(?:\.gz|\.zst)?$")
_MICRO: Final = 1_000_000
_DEEP: Final = 3
_SCALARS: Final = "scalars"
_PARTS: Final = frozenset({"train", "validation", "eval", "val", "test"})
"""Folders into which writers put the values of one run apart, by what they measure."""
_RANK: Final = re.compile(r"(?:local_|global_)?(?:rank|worker|process|proc)[-_.]?\d+", re.IGNORECASE)
"""Folders into which the processes of one run write apart."""


def read(delivered: Delivered, source: Source) -> Reading:
    """An event file is a segment of the run of its folder and as many rows as it has events; other files hold none.

    Raises:
        RejectedFile: unreadable, for a file without any event, or where the library that reads them is not installed.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    if _MARK not in PurePosixPath(delivered.file).name:
        return Reading(rows=0, frames={})
    segment = _Segment(plausible_starts(delivered.ahead))
    for event in _events(delivered.content):
        segment.add(event)
    if not segment.events:
        raise RejectedFile("unreadable", "no TensorBoard event file; name the files events.out.tfevents.* in files")
    rows = _attempts(segment, delivered, source)
    run_id = str(rows[0]["run_id"]) if rows else ""
    return Reading(
        rows=segment.events,
        frames={
            "run_rows": run_rows(rows),
            "metric_rows": metric_rows(delivered.sha256, source.name, list(segment.metrics(run_id))),
        },
        refused=segment.refusals.frame(),
    )


def _events(content: Path) -> Iterator[Any]:
    """The events of a file up to its end, or to the record within which it was cut."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader  # noqa: PLC0415 - optional
    except ImportError as error:
        missing = "the reader of event files is not installed; install trisect[tensorboard]"
        raise RejectedFile("unreadable", missing) from error
    yield from EventFileLoader(str(content)).Load()


@dataclass
class _Segment:
    """What the events of one file say; instants in microseconds since 1970."""

    starts: range
    events: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    times: list[int] = field(default_factory=list)
    values: list[tuple[int, int, str, float]] = field(default_factory=list)

    def add(self, event: Any) -> None:  # noqa: ANN401 - a protobuf message without types
        """Keep the time of an event, and the numbers that it logs; texts, images and graphs are kept nowhere."""
        self.events += 1
        at = round(event.wall_time * _MICRO) if math.isfinite(event.wall_time) else 0
        if at not in self.starts:
            self.refusals.add(
                f"row {self.events}", "date_out_of_range", "wall_time lies before 2015 or after the night"
            )
            return
        self.times.append(at)
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == _SCALARS:
                self.values += [(at, int(event.step), value.tag, number) for number in _numbers(value.tensor)]

    def metrics(self, run_id: str) -> Iterator[dict[str, object]]:
        """Every number under its tag."""
        tokens = {step: value for _, step, tag, value in self.values if ALIASES.get(tag) == "tokens"}
        for at, step, tag, value in self.values:
            yield {
                "run_id": run_id, "step": step, "tokens": tokens.get(step), "name": tag, "value": value, "at": at,
            }  # fmt: skip


def _numbers(tensor: Any) -> list[float]:  # noqa: ANN401 - a protobuf message without types
    """The one number of a scalar; none for a tensor of another shape."""
    from tensorboard.util.tensor_util import make_ndarray  # noqa: PLC0415 - optional

    array = make_ndarray(tensor)
    return [float(array.item())] if array.size == 1 else []


def _run_folder(file: PurePosixPath) -> PurePosixPath:
    """The folder that is a run: training, validation and each process stand in folders of their own below it."""
    folder = file.parent
    while len(folder.parts) >= _DEEP and (folder.name.lower() in _PARTS or _RANK.fullmatch(folder.name)):
        folder = folder.parent
    return folder


def _attempts(segment: _Segment, delivered: Delivered, source: Source) -> list[Mapping[str, Any]]:
    """The segment once for each time without a hole; its last event is the last that is known of it."""
    sidecar_fields: Mapping[str, Any] = sidecar(delivered, source)
    folder, name = _run_folder(PurePosixPath(delivered.file)), PurePosixPath(delivered.file).name
    loss_name, loss = last_loss((tag, value) for _, _, tag, value in segment.values)
    host = _HOST.search(name)
    tokens = [value for _, _, tag, value in segment.values if ALIASES.get(tag) == "tokens" and math.isfinite(value)]
    run = {
        "file_sha256": delivered.sha256,
        "location": "file",
        "source": source.name,
        "run_id": None if "run_id" in sidecar_fields else str(folder),
        "run_key": name.removesuffix(".gz").removesuffix(".zst"),
        "run_name": None if "run_name" in sidecar_fields else folder.name,
        "project": None if "project" in sidecar_fields else folder.parent.name,
        "steps": max((step for _, step, _, _ in segment.values), default=None),
        "tokens": max(tokens, default=None),
        "final_loss": loss,
        "loss_name": loss_name,
        **({"hosts": [host["host"]]} if host and "hosts" not in sidecar_fields else {}),
    }
    timeless = {
        name: value for name, value in sidecar_fields.items() if name not in ("started_at", "ended_at", "status")
    }
    fields = with_sidecar(run, timeless) | {"end_source": "last_event", "status": "unknown"}
    spans = launches(segment.times)
    steps = trained_steps(spans, ((at, step) for at, step, _, _ in segment.values))
    rows: list[Mapping[str, Any]] = [
        {**fields, **trained, "started_at": span.start, "ended_at": span.end}
        for span, trained in zip(spans, steps, strict=True)
    ]
    return [*rows[:-1], *({**row, "status": sidecar_fields.get("status") or "unknown"} for row in rows[-1:])]
