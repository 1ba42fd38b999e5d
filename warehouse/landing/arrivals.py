"""What lies in the inbox tonight: every file hashed, and what decides how each content is read."""

from __future__ import annotations

import hashlib
import json
import stat
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

from warehouse.landing.control_totals import Stated, stated
from warehouse.landing.file_cache import Content
from warehouse.landing.inbox import MANIFEST, matched
from warehouse.landing.reading import DEFAULT_LIMITS, ReadingLimits
from warehouse.schemas.raw import Files
from warehouse.sources.control_files import Promise
from warehouse.sources.decode.staging_copy import Spooled, spooled
from warehouse.sources.reader_protocol import RejectedFile
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

Before = Mapping[str, tuple[int, str, int]]
"""Size, digest and time of change of each file as the last night knew it."""


@dataclass(frozen=True)
class Rejection:
    """One file that cannot count as a whole."""

    source: str
    file: str
    reason: str
    detail: str


COST_OF_FOCUS: Final = "BilledCost"


@dataclass(frozen=True)
class Workspace:
    """Where a project lies, and where Trisect keeps what it reads; `trisect check` keeps it elsewhere.

    `limits` are what reading one file may take.
    """

    project: Path
    var: Path
    limits: ReadingLimits = DEFAULT_LIMITS


@dataclass
class Inbox:
    """The files of all sources: by (source, path) as they lie there, by (source, digest) as contents.

    A content stands under its first path, also where two sources read the same of it: the same bytes count once.
    `firsts` says in which source, by what reads alike and digest; `owners` by the (source, digest) that does not count.
    `rejections` collects the files that cannot count; `stated` is what the control files of each source say.
    """

    workspace: Workspace
    kinds: Mapping[str, str]
    files: dict[tuple[str, str], Spooled] = field(default_factory=dict)
    contents: dict[tuple[str, str], Content] = field(default_factory=dict)
    firsts: dict[tuple[object, str], str] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    stated: dict[str, Stated] = field(default_factory=dict)

    def add(self, content: Content) -> None:
        """A content that has arrived, unless another source has brought the same bytes and reads the same of them."""
        owner = self.firsts.setdefault((_read_of(content.source), content.sha256), content.source.name)
        if owner == content.source.name:
            self.contents.setdefault((owner, content.sha256), content)
        else:
            self.owners[content.source.name, content.sha256] = owner

    def reject(self, source: str, file: str, rejected: RejectedFile) -> None:
        """Nothing of the file counts."""
        self.rejections.append(Rejection(source, file, rejected.reason, rejected.detail))


def _read_of(source: Source) -> object:
    """What a source takes out of a file: of a bill a column of cost, whatever its format; of others all it names.

    Where the path says when something was measured, servers of two sources may say the same, each at its time.
    """
    if source.kind == "gpu_billing":
        cost = source.columns.get("billed_cost") or source.columns.get("effective_cost") or COST_OF_FOCUS
        return source.kind, cost.casefold()
    if FORMATS[source.kind, source.format].is_timed_by_path:
        return source.name
    return source.kind, source.format, frozenset(source.columns.items()), frozenset(source.constants.items())


def arrivals(workspace: Workspace, sources: Sequence[Source], connection: duckdb.DuckDBPyConnection) -> Inbox:
    """Every file that a source names, hashed unless the file system says it has not changed since."""
    inbox, before = Inbox(workspace, {source.name: source.kind for source in sources}), _seen(connection)
    for source in sources:
        _arrive(inbox, source, before)
    return inbox


def _arrive(inbox: Inbox, source: Source, before: Before) -> None:
    files = matched(inbox.workspace.project, source.files)
    if source.kind == "gpu_billing":
        files = [file for file in files if not file.casefold().endswith(MANIFEST)]
    controls = inbox.stated[source.name] = stated(inbox.workspace.project, source, files)
    for file, rejected in controls.rejected.items():
        inbox.reject(source.name, file, rejected)
    for file in files:
        try:
            content = _content(inbox, source, file, before)
        except RejectedFile as rejected:
            inbox.reject(source.name, file, rejected)
            continue
        inbox.add(content)
    if FORMATS[source.kind, source.format].is_timed_by_path:
        _with_copies(inbox, source.name)


def _with_copies(inbox: Inbox, source: str) -> None:
    """What does nothing is scraped in the same bytes again and again: each path is a measurement of its own."""
    paths: dict[str, list[str]] = defaultdict(list)
    for (name, file), source_file in sorted(inbox.files.items()):
        if name == source:
            paths[source_file.sha256].append(file)
    for sha256, files in paths.items():
        content = inbox.contents.get((source, sha256))
        if content is not None and len(files) > 1:
            copies = tuple(file for file in files if file != content.file)
            digest = hashlib.sha256("\n".join([content.reader_digest, *copies]).encode()).hexdigest()
            inbox.contents[source, sha256] = replace(content, reader_digest=digest, copies=copies)


def _content(inbox: Inbox, source: Source, file: str, before: Before) -> Content:
    """The content of a file, as its control file promises it."""
    source_file = inbox.files[source.name, file] = _hashed(inbox.workspace.project, file, before)
    promises = inbox.stated[source.name].promises.get(file, ())
    for promise in promises:
        promise.check_bytes(source_file.bytes, source_file.sha256)
    digest = _reader_digest(inbox.workspace.project, source, file, promises, before)
    return Content(source, file, source_file.sha256, digest, promises)


def side_files(project: Path, source: Source, file: str) -> list[str]:
    """The side files of a file that are there."""
    wanted = FORMATS[source.kind, source.format].side_files(file)
    return [path for path in wanted if (project / path).is_file()]


def _seen(connection: duckdb.DuckDBPyConnection) -> Before:
    query = f'SELECT file, "bytes", sha256, changed_ns FROM {Files.qualified()} WHERE changed_ns > 0'
    return {file: (size, sha256, changed) for file, size, sha256, changed in connection.execute(query).fetchall()}


def _hashed(project: Path, file: str, before: Before) -> Spooled:
    """The file's digest, read anew unless the file system says that nothing has changed since."""
    entry = (project / file).lstat() if file in before else None
    if entry and stat.S_ISREG(entry.st_mode) and (entry.st_size, entry.st_ctime_ns) == before[file][::2]:
        return Spooled(project, file, *before[file])
    return spooled(project, file)


def _reader_digest(project: Path, source: Source, file: str, promises: Sequence[Promise], before: Before) -> str:
    """Digest of the source's settings, the code of the readers, the side files and what a control file promises."""
    settings = {key: dict(value) if isinstance(value, Mapping) else value for key, value in _fields(source).items()}
    beside = {path: _hashed(project, path, before).sha256 for path in side_files(project, source, file)}
    promised = [str(promise) for promise in promises]
    document = json.dumps([settings, beside, promised, _code_digest()], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _fields(source: Source) -> dict[str, object]:
    return {name: getattr(source, name) for name in source.__dataclass_fields__}


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].joinpath("sources").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
