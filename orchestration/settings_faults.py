"""What is wrong with trisect.toml beyond the types of its keys: names of other things, and what excludes each other."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import PurePosixPath
from shutil import which
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from orchestration.canonical_words import meant
from orchestration.settings_errors import Path
from warehouse.schemas.findings import FINDING_KINDS
from warehouse.schemas.names import ACCRUAL
from warehouse.sources.casts.currencies import IN_USE
from warehouse.sources.registry import FORMATS

if TYPE_CHECKING:
    from orchestration.settings import Settings, SourceSection

INBOX: Final = "inbox"
_PLAIN_NAME: Final = re.compile(r"[\w .+@-]{1,80}")
Fault = tuple[Path, str, str]
"""Where in the document, what is wrong, and what to do."""


def faults(settings: Settings) -> Iterator[Fault]:
    """What the types of the settings do not say."""
    if settings.company.currency not in IN_USE:
        what = f"currency = {settings.company.currency!r} is no currency in use"
        yield ("company", "currency"), what, "write its ISO 4217 code, as USD"
    if settings.engine.telemetry == "spark":
        yield from _faults_of_spark(settings.engine.spark_master)
    for mailed, fault in settings.delivery.faults(settings.report.editions):
        yield ("delivery", mailed), fault, ""
    names = [section.name for section in settings.source]
    for number, section in enumerate(settings.source):
        path = ("source", f"[{number}]")
        if section.name in names[:number]:
            yield (*path, "name"), f"two sources are named {section.name!r}", "give each a name of its own"
        for key, what, remedy in _faults_of_source(section):
            yield (*path, *key), what, remedy


def _faults_of_spark(master: str) -> Iterator[Fault]:
    if not master:
        yield (
            ("engine", "spark_master"),
            "telemetry = 'spark' names no cluster",
            "write its address, as spark://host:7077",
        )
    if find_spec("pyspark") is None:
        what = "telemetry = 'spark' needs PySpark, which is not installed"
        yield ("engine", "telemetry"), what, "install trisect[spark], or use duckdb"
    elif which("java") is None and "JAVA_HOME" not in os.environ:
        what = "telemetry = 'spark' needs Java 17 or later, and there is no java on the PATH and no JAVA_HOME"
        yield ("engine", "telemetry"), what, "install a Java runtime, or use duckdb"


def _faults_of_source(source: SourceSection) -> Iterator[Fault]:
    if source.name == ACCRUAL:
        yield ("name",), f"name {ACCRUAL!r} is taken by what policy/rates.csv accrues", "give the source another name"
    if not _PLAIN_NAME.fullmatch(source.name) or source.name == "*":
        yield ("name",), f"name = {source.name!r} is no plain name", "use letters, digits, blanks and . _ + @ -"
    if (source.kind, source.format) not in FORMATS:
        names = ", ".join(sorted(name for kind, name in FORMATS if kind == source.kind))
        yield ("format",), f"source {source.name!r} has format {source.format!r}", f"{source.kind} has {names}"
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
    names = tuple(dict.fromkeys(FORMATS[source.kind, source.format].columns))
    named = [("columns", name) for name in source.columns] + [("constants", name) for name in source.constants]
    for part, name in named:
        if name not in names and not (name.startswith("tag:") and "tags" in names):
            near = meant(name, names)
            hint = f"; did you mean {near!r}?" if near else ""
            remedy = f"canonical columns of {source.format} are {', '.join(names) or 'none'}{hint}"
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
