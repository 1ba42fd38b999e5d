"""What is wrong with trisect.toml, said in four parts: what, where, which value, what to do."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from orchestration.canonical_words import meant
from orchestration.section import Section
from warehouse.schemas.findings import FINDING_KINDS
from warehouse.schemas.names import ACCRUAL
from warehouse.sources.casts.currencies import IN_USE
from warehouse.sources.registry import FORMATS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from orchestration.settings import Settings, SourceSection

FILE: Final = "trisect.toml"
INBOX: Final = "inbox"
SECRETIVE: Final = "delivery"
"""The section whose values are never repeated: somebody may have put a password there."""

Path = tuple[str, ...]
_HEADER: Final = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]")
_PLAIN_NAME: Final = re.compile(r"[\w .+@-]{1,80}")
Fault = tuple[Path, str, str]
"""Where in the document, what is wrong, and what to do."""


def variable_of(section: str, key: str) -> str:
    """The environment variable that overrides a scalar."""
    return f"TRISECT_{section}_{key}".upper()


def explained(errors: Sequence[ErrorDetails], text: str, root: type[Section]) -> Iterator[str]:
    """Every fault that the validator reports, with line, value and remedy."""
    for error in errors:
        path = tuple(f"[{step}]" if isinstance(step, int) else step for step in error["loc"])
        if error["type"] == "extra_forbidden":
            within = ".".join(step for step in path[:-1] if not step.startswith("[")) or "the top level"
            yield said(path, f"unknown key {path[-1]!r} in {within}", _known_keys(root, path), text)
        elif error["type"] == "missing":
            yield said(path, f"the key {path[-1]!r} is missing", "", text)
        else:
            is_shown = path[0] != SECRETIVE and not isinstance(error["input"], dict | list)
            named = f"{path[-1]} = {error['input']!r}: {error['msg']}" if is_shown else error["msg"]
            yield said(path, named, _example(root, path), text)


def said(path: Path, what: str, remedy: str, text: str) -> str:
    """One sentence about one place of the settings."""
    variable = variable_of(path[0], path[-1]) if len(path) == 2 else ""  # noqa: PLR2004 - section and key
    line = line_of(text, path)
    where = f"environment variable {variable}" if variable in os.environ else FILE + (f", line {line}" if line else "")
    return f"{where}: {what}" + (f"; {remedy}" if remedy else "")


def line_of(text: str, path: Path) -> int:
    """The line of a key, else of the closest table around it; 0 where the file has neither."""
    lines = text.splitlines()
    start, found = _header_line(lines, path)
    for key in path[1:] if start else path:
        pattern = re.compile(rf"\s*(?:\[+\s*[\w.]+\.)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
        ends = (n for n in range(start, len(lines)) if n > start and _is_top(lines[n], path))
        reach = range(max(found - 1, 0), next(ends, len(lines)))
        found = next((n + 1 for n in reach if pattern.match(lines[n])), found)
    return found


def _header_line(lines: Sequence[str], path: Path) -> tuple[int, int]:
    """Index of the first line below the header of the path's table, and that header's line; of `source`, the nth."""
    wanted = int(path[1].strip("[]")) if len(path) > 1 and path[1].startswith("[") else 0
    headers = [n for n, line in enumerate(lines, 1) if path and (at := _HEADER.match(line)) and at[1] == path[0]]
    return (headers[wanted], headers[wanted]) if wanted < len(headers) else (0, 0)


def _is_top(line: str, path: Path) -> bool:
    """Whether another table begins here, not a part of the one that the path is in."""
    header = _HEADER.match(line)
    return header is not None and not header[1].startswith(f"{path[0]}.")


def _section(root: type[Section], path: Path) -> type[Section]:
    """The section that a path of keys lies in, as far as there are sections."""
    for step in (step for step in path[:-1] if not step.startswith("[")):
        field = root.model_fields.get(step)
        root = next((part for part in _parts(field.annotation) if _is_section(part)), root) if field else root
    return root


def _parts(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an annotation
    return (annotation, *(part for inner in get_args(annotation) for part in _parts(inner)))


def _is_section(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, Section)


def _known_keys(root: type[Section], path: Path) -> str:
    keys = list(_section(root, path).model_fields)
    near = difflib.get_close_matches(path[-1], keys, n=1)
    return f"known: {', '.join(keys)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _example(root: type[Section], path: Path) -> str:
    """The words that a key allows, else its default as an example."""
    field = _section(root, path).model_fields.get(path[-1])
    if field is None:
        return ""
    words = [part for part in _parts(field.annotation) if isinstance(part, str)]
    if words:
        return f"write one of {', '.join(words)}"
    is_plain = isinstance(field.default, str | int | float) and field.default != ""
    return f"write it like {field.default!r}" if is_plain else ""


def faults(settings: Settings) -> Iterator[Fault]:
    """What the types of the settings do not say."""
    if settings.company.currency not in IN_USE:
        what = f"currency = {settings.company.currency!r} is no currency in use"
        yield ("company", "currency"), what, "write its ISO 4217 code, as USD"
    if settings.engine.telemetry == "spark":
        yield ("engine", "telemetry"), "engine 'spark' is not in this version", "use duckdb or polars"
    for mailed, fault in settings.delivery.faults(settings.report.editions):
        yield ("delivery", mailed), fault, ""
    names = [section.name for section in settings.source]
    for number, section in enumerate(settings.source):
        path = ("source", f"[{number}]")
        if section.name in names[:number]:
            yield (*path, "name"), f"two sources are named {section.name!r}", "give each a name of its own"
        for key, what, remedy in _faults_of_source(section):
            yield (*path, *key), what, remedy


def _faults_of_source(source: SourceSection) -> Iterator[Fault]:
    if source.name == ACCRUAL:
        yield ("name",), f"name {ACCRUAL!r} is taken by what policy/rates.csv accrues", "give the source another name"
    if not _PLAIN_NAME.fullmatch(source.name) or source.name == "*":
        yield ("name",), f"name = {source.name!r} is no plain name", "use letters, digits, blanks and . _ + @ -"
    if (source.kind, source.format) not in FORMATS:
        known = ", ".join(sorted(name for kind, name in FORMATS if kind == source.kind))
        yield ("format",), f"source {source.name!r} has format {source.format!r}", f"{source.kind} has {known}"
        return
    for entry in source.accepted_findings:
        kind, colon, subject = entry.partition(":")
        if kind.strip() not in FINDING_KINDS or not colon or not subject.strip():
            near = difflib.get_close_matches(kind.strip(), FINDING_KINDS, n=1) or sorted(FINDING_KINDS)
            what = f"accepted_findings has {entry!r}, which names no finding"
            yield ("accepted_findings",), what, f"write kind:subject as findings.csv has them, like {near[0]}:i-0abc"
    steps = PurePosixPath(source.files).parts
    if steps[:1] != (INBOX,) or ".." in steps:
        yield ("files",), f"files = {source.files!r} leaves the inbox", f"begin it with {INBOX}/ and keep it below"
    yield from _faults_of_columns(source)
    yield from _faults_of_options(source)
    yield from _faults_of_remote(source)


def _faults_of_columns(source: SourceSection) -> Iterator[Fault]:
    known = tuple(dict.fromkeys(FORMATS[source.kind, source.format].columns))
    named = [("columns", name) for name in source.columns] + [("constants", name) for name in source.constants]
    for part, name in named:
        if name not in known and not (name.startswith("tag:") and "tags" in known):
            near = meant(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            remedy = f"canonical columns of {source.format} are {', '.join(known) or 'none'}{hint}"
            yield (part, name), f"{name!r} is no canonical column", remedy


def _faults_of_options(source: SourceSection) -> Iterator[Fault]:
    zone, origin = source.options.timezone, source.options.time_origin
    if zone is not None and zone not in available_timezones():
        yield ("options", "timezone"), f"timezone {zone!r} is unknown", "use an IANA name such as UTC"
    try:
        datetime.fromisoformat(origin or "1970-01-01")
    except ValueError:
        what = f"time_origin = {origin!r} is no time"
        yield ("options", "time_origin"), what, "write it as 1970-01-01T00:00:00Z"


def _faults_of_remote(source: SourceSection) -> Iterator[Fault]:
    """An address holds no secret: settings are shown, logged and shared."""
    if source.remote is None:
        return
    address = urlsplit(source.remote.url)
    if address.password is not None or "password" in address.query.casefold():
        what = f"the url of source {source.name!r} holds a password"
        yield ("remote", "url"), what, "take it out and set PGPASSWORD, or write it to ~/.pgpass"
    if address.scheme.startswith("postgres") and not (source.remote.table and source.remote.time_column):
        what = f"source {source.name!r} is a database without a table and its time"
        yield ("remote",), what, 'name both: table = "LiteLLM_SpendLogs", time_column = "startTime"'
