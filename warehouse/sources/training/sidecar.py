"""`trisect-run.json`: what a training log cannot say about its own time, GPUs and identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from warehouse.sources.casts.number_casts import LARGEST_SIZE
from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.reader_protocol import Delivered, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source
from warehouse.sources.status_words import status_of
from warehouse.sources.training.chips import chip

NAME: Final = "trisect-run.json"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS: Final = ("run_id", "run_name", "project", "cluster", "parent_run_id")
_NUMBERS: Final = ("gpu_count", "tokens_per_step", "attempt")
_TIMES: Final = ("started_at", "ended_at")


def sidecar_paths(file: str) -> Sequence[str]:
    """Where a sidecar of `file` may stand: its folder first, then each folder above it."""
    folders = PurePosixPath(file).parents
    return [] if PurePosixPath(file).name == NAME else [str(folder / NAME) for folder in folders]


def sidecar(delivered: Delivered, source: Source) -> Mapping[str, object]:
    """The nearest sidecar's fields, typed, and its path as `sidecar` where it counts GPUs; empty if there is none.

    Raises:
        RejectedFile: unreadable, if the sidecar is no JSON object of known fields.
    """
    for path in sidecar_paths(delivered.file):
        if path in delivered.side_files:
            fields = read_sidecar(delivered.side_files[path], path, source)
            return {**fields, "sidecar": path} if "gpu_count" in fields else fields
    return {}


def read_sidecar(content: Path, path: str, source: Source) -> Mapping[str, object]:
    """The fields of one sidecar: texts, numbers, hosts, and instants as microseconds since 1970."""
    try:
        fields = json_object(content.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        return {name: value for name, value in _typed(fields, source).items() if value is not None}
    except (BadLine, ValueError, TypeError) as error:
        raise RejectedFile("unreadable", f"{path} is no sidecar: {error}; write a JSON object as documented") from error


def _typed(fields: Mapping[str, object], source: Source) -> dict[str, object]:
    hosts, model = fields.get("hosts"), fields.get("gpu_model")
    return {
        **{name: str(fields[name]) for name in _TEXTS if fields.get(name) is not None},
        **{name: _size(name, str(fields[name])) for name in _NUMBERS if fields.get(name) is not None},
        **{name: microseconds(str(fields[name]), source) for name in _TIMES if fields.get(name) is not None},
        "status": status_of(str(fields["status"])) if fields.get("status") is not None else None,
        "hosts": [str(host) for host in hosts] if isinstance(hosts, list) else None,
        "gpu_model": chip(str(model)) if model is not None else None,
    }


def _size(name: str, text: str) -> float:
    number = float(text)
    if not 0 <= number <= LARGEST_SIZE:
        raise ValueError(f"{name} is {text[:40]!r}, no number between 0 and {LARGEST_SIZE:.0e}")
    return number


def microseconds(text: str, source: Source) -> int:
    """A time in ISO 8601 as microseconds since 1970; without offset it has the source's zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(source.options.get("timezone", "UTC")))
    return (moment - _EPOCH) // _EPOCH.resolution


def with_sidecar(run: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, object]:
    """The run, its unknown columns taken from the sidecar; only the sidecar's GPU count wins over the log's."""
    logged = {name: value for name, value in run.items() if value is not None}
    columns = {name: value for name, value in fields.items() if name not in ("tokens_per_step", "attempt")}
    count = {"gpu_count": fields["gpu_count"]} if "gpu_count" in fields else {}
    return {**run, **columns, **logged, **count}


def refuse_sidecar(delivered: Delivered, source: Source) -> Refusals:
    """The row account of a sidecar that the source's own pattern matches: one row, refused if nobody could read it."""
    refusals = Refusals()
    try:
        read_sidecar(delivered.content, delivered.file, source)
    except RejectedFile as rejected:
        refusals.add("file", "bad_json", rejected.detail)
    return refusals


def is_sidecar(file: str) -> bool:
    """Whether the file is a sidecar itself."""
    return PurePosixPath(file).name == NAME
