"""Manifests that exporters write beside a bill: which files one run exported, when, and how many rows they hold.

AWS writes `…-Manifest.json`: a Cost and Usage Report into the folder of each version, and again above the versions of
a month for the one that stands; a Data Export into `metadata/` beside `data/`. Azure writes a `manifest.json` into the
folder of each run. Only what they say of files and times is read; a manifest that says neither is none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from warehouse.landing.inbox import manifests
from warehouse.sources.decode.staging_copy import contents
from warehouse.sources.reader_protocol import RejectedFile

LARGEST: Final = 16 << 20
_TIMES: Final = (
    "submittedTime",
    "exported_at",
    "exportedAt",
    "exportTime",
    "createdAt",
    "creationTime",
    "generatedAt",
    "reportCreationTime",
)
_LISTS: Final = ("blobs", "reportKeys", "dataFiles", "files")
_NAMES: Final = ("blobName", "key", "name", "path")
_NAME_AND_FOLDER: Final = 2


@dataclass(frozen=True)
class Export:
    """One run of an export: its manifest, when it ran, and how many rows it exported, as far as it says.

    `missing` are files that it lists beside others and that are not there. `is_standing` where a manifest above the
    folder of the file lists it: of several versions this one stands.
    """

    manifest: str
    exported_at: datetime | None
    rows: int | None
    missing: tuple[str, ...] = ()
    is_standing: bool = False


def exports(project: Path, pattern: str, files: Sequence[str]) -> dict[str, Export]:
    """The run that exported each file, where a manifest lists it; the manifest closest to the file counts."""
    below = _by_folder(files)
    of_file: dict[str, Export] = {}
    standing: set[str] = set()
    for manifest in sorted(manifests(project, pattern), key=lambda path: path.count("/")):
        with suppress(RejectedFile, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            document = msgspec.json.decode(contents(project, manifest, LARGEST))
            if isinstance(document, dict):
                export = _export(manifest, document)
                names = [name for key in _LISTS for name in _names(document.get(key))]
                by_name = _listed(manifest, names, below, files)
                listed = [file for name in by_name for file in by_name[name]]
                missing = [name for name in names if not by_name[name]] if names and listed else []
                of_file.update(dict.fromkeys(listed, replace(export, missing=tuple(missing))))
                folder = manifest.rpartition("/")[0]
                standing.update(file for file in listed if file.rpartition("/")[0].startswith(f"{folder}/"))
    return {file: replace(export, is_standing=file in standing) for file, export in of_file.items()}


def _export(manifest: str, document: Mapping[str, Any]) -> Export:
    run = document.get("runInfo")
    fields = {**document, **run} if isinstance(run, dict) else document
    rows = document.get("dataRowCount")
    return Export(manifest, _time(fields), rows if isinstance(rows, int) and rows >= 0 else None)


def _time(fields: Mapping[str, Any]) -> datetime | None:
    """When the run exported; a time without offset is UTC."""
    for name in _TIMES:
        text = fields.get(name)
        if isinstance(text, str):
            # Azure writes seven fractional digits, Python reads six.
            with suppress(ValueError):
                moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _listed(
    manifest: str, names: Sequence[str], below: Mapping[str, Sequence[str]], files: Sequence[str]
) -> dict[str, Sequence[str]]:
    """The files of each name that a manifest lists, at or below its folder; all beside it where it lists none.

    One that has no file below it, as those of AWS Data Exports, lists files of another folder by the end of their path.
    """
    folder = manifest.rpartition("/")[0]
    if not names:
        return {"": [file for file in below.get(folder, ()) if file.rpartition("/")[0] == folder]}
    by_name: dict[str, list[str]] = defaultdict(list)
    for file in below.get(folder, files):
        by_name[file.rpartition("/")[2]].append(file)
    least = 1 if folder in below else _NAME_AND_FOLDER
    listed: dict[str, Sequence[str]] = {}
    for name in names:
        candidates = by_name.get(name.rpartition("/")[2], [])
        closest = max((_shared_tail(name, file) for file in candidates), default=0)
        listed[name] = [file for file in candidates if _shared_tail(name, file) == closest >= least]
    return listed


def _names(listed: object) -> Iterator[str]:
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            yield from (entry[name] for name in _NAMES if isinstance(entry.get(name), str))


def _shared_tail(name: str, file: str) -> int:
    """How many of the last steps of two paths are equal."""
    pairs = zip(reversed(name.split("/")), reversed(file.split("/")), strict=False)
    steps = 0
    for ours, theirs in pairs:
        if ours != theirs:
            break
        steps += 1
    return steps


def _by_folder(files: Iterable[str]) -> dict[str, list[str]]:
    """The files at or below each folder."""
    below: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folder = file.rpartition("/")[0]
        while folder:
            below[folder].append(file)
            folder = folder.rpartition("/")[0]
    return below
