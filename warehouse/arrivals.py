"""What lies in the inbox tonight: every file hashed, and what decides how each content is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from warehouse.inbox import matched
from warehouse.readings import Content
from warehouse.schemas.raw import Files
from warehouse.sources.formats import READERS
from warehouse.sources.reading import RejectedFile
from warehouse.sources.source import Source
from warehouse.sources.spool import Spooled, spooled


@dataclass(frozen=True)
class Rejection:
    """One file that cannot count as a whole."""

    source: str
    file: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Place:
    """Where a project lies, and where Trisect keeps what it reads; `trisect check` keeps it elsewhere."""

    project: Path
    var: Path


@dataclass
class Inbox:
    """The files of all sources: by (source, path) as they lie there, by (source, digest) as contents.

    A content stands under its first path; `rejections` collects the files that cannot count.
    """

    place: Place
    kinds: Mapping[str, str]
    found: dict[tuple[str, str], Spooled] = field(default_factory=dict)
    contents: dict[tuple[str, str], Content] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, source: str, file: str, rejected: RejectedFile) -> None:
        """Nothing of the file counts."""
        self.rejections.append(Rejection(source, file, rejected.reason, rejected.detail))


def arrivals(place: Place, sources: Sequence[Source], connection: duckdb.DuckDBPyConnection) -> Inbox:
    """Every file that a source names, hashed unless the file system says it has not changed since."""
    project, before = place.project, _seen(connection)
    inbox = Inbox(place, {source.name: source.kind for source in sources})
    for source in sources:
        for file in matched(project, source.files):
            try:
                found = _hashed(project, file, before)
                content = Content(source, file, found.sha256, _reader_digest(project, source, file, before))
            except RejectedFile as rejected:
                inbox.reject(source.name, file, rejected)
                continue
            inbox.found[source.name, file] = found
            inbox.contents.setdefault((source.name, found.sha256), content)
    return inbox


def companions(project: Path, source: Source, file: str) -> list[str]:
    """The side files of a file that are there."""
    wanted = READERS[source.kind, source.format].companions(file)
    return [path for path in wanted if (project / path).is_file()]


def changed_ns(project: Path, file: str) -> int:
    """When the file system last changed the file, which nobody can set back."""
    return (project / file).lstat().st_ctime_ns


def _seen(connection: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[int, str, int]]:
    query = f'SELECT file, changed_ns, sha256, "bytes" FROM {Files.qualified()}'
    return {file: (changed, sha256, size) for file, changed, sha256, size in connection.execute(query).fetchall()}


def _hashed(project: Path, file: str, before: Mapping[str, tuple[int, str, int]]) -> Spooled:
    changed, sha256, size = before.get(file, (0, "", 0))
    if changed and changed == changed_ns(project, file):
        return Spooled(project, file, size, sha256)
    return spooled(project, file)


def _reader_digest(project: Path, source: Source, file: str, before: Mapping[str, tuple[int, str, int]]) -> str:
    """Digest of the source's settings, the code of the readers and the side files."""
    settings = {key: dict(value) if isinstance(value, Mapping) else value for key, value in _fields(source).items()}
    beside = {path: _hashed(project, path, before).sha256 for path in companions(project, source, file)}
    document = json.dumps([settings, beside, _code_digest()], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _fields(source: Source) -> dict[str, object]:
    return {name: getattr(source, name) for name in source.__dataclass_fields__}


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.joinpath("sources").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
