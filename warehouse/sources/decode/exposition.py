"""Exposition text of Prometheus exporters, one scrape of one target a file: its samples, and when it was taken.

Lines are parsed by `prometheus-client`, in the text format or in OpenMetrics, which ends with `# EOF` and counts its
timestamps in seconds. Only wanted lines are: a scrape holds hundreds of others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import polars as pl
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format
from prometheus_client.samples import Sample

from warehouse.sources.casts.date_guard import microseconds_of
from warehouse.sources.casts.timestamps import clock_of, instants
from warehouse.sources.decode.text_lines import Line, text_lines
from warehouse.sources.reader_protocol import Delivered, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.source import Source

_MICRO: Final = 1_000_000
_NAME: Final = re.compile(rb"[A-Za-z_:][A-Za-z0-9_:]*")
_TOTAL: Final = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*?)_(?:total|created)\b")
_MOMENT: Final = re.compile(
    r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)[T_ ](\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?(?!\d)",
    re.IGNORECASE,
)
_EPOCH: Final = re.compile(r"(?<!\d)(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?(?!\d)")
_SECOND_DIGITS: Final = 10
_SUFFIXES: Final = frozenset((".gz", ".zst", ".prom", ".txt", ".metrics", ".om"))


class Scrape(NamedTuple):
    """When a file was scraped, in microseconds since 1970, and its path without that time: the target's own name.

    `at` is unknown where no part of the path says it; `is_zone_assumed` where that time has no offset.
    """

    at: int | None
    target: str
    is_zone_assumed: bool


class Lines(NamedTuple):
    """The wanted samples of a file, each with its location, those that were refused, and how many lines are others."""

    samples: list[tuple[str, Sample]]
    refusals: Refusals
    foreign_lines: int


def scrape_of(file: str, source: Source) -> Scrape:
    """The last time in the name of the file, else in the names of its folders, the nearest first.

    Example:
        >>> scrape_of("inbox/kestrel-0_1700000000.prom", Source("s", "request_telemetry", "vllm_metrics", "*")).target
        'inbox/kestrel-0'
    """
    parts = list(PurePosixPath(file).parts)
    while PurePosixPath(parts[-1]).suffix.lower() in _SUFFIXES:
        parts[-1] = PurePosixPath(parts[-1]).stem
    for depth in reversed(range(len(parts))):
        if written := _last(_MOMENT, parts[depth]) or _last(_EPOCH, parts[depth]):
            at, is_zone_assumed = _moment(written, source)
            parts[depth] = (parts[depth][: written.start()] + parts[depth][written.end() :]).strip("-_. @")
            return Scrape(at, "/".join(part for part in parts if part), is_zone_assumed)
    return Scrape(None, "/".join(parts), is_zone_assumed=False)


def scrapes_at_other_times(scrape: Scrape, delivered: Delivered, source: Source) -> list[Scrape]:
    """One scrape for each other time that paths of the same bytes say; of one time the bytes are a copy."""
    others = {copy.at: copy for copy in reversed([scrape_of(path, source) for path in delivered.copies])}
    return [copy for at, copy in sorted(others.items(), key=lambda item: item[0] or 0) if at not in {None, scrape.at}]


def samples(content: Path, wanted: Callable[[str], bool]) -> Lines:
    """The samples whose names are wanted. A last line without an end may be cut, and a cut number is another number.

    Raises:
        RejectedFile: unreadable, where no line of the file is exposition text; limit, for a line of more than 16 MiB.
    """
    lines = Lines([], Refusals(), 0)
    parse = _parser(content)
    foreign, is_exposition = 0, False
    for line in text_lines(content):
        name = _NAME.match(line.text)
        is_exposition |= line.text.startswith(b"#") or name is not None
        if name is None or not wanted(name[0].decode()):
            foreign += bool(line.text.strip())
            continue
        if sample := _parsed(line, parse, lines.refusals):
            lines.samples.append((f"line {line.number}", sample))
    if not is_exposition:
        raise RejectedFile("unreadable", "no line is exposition text: a comment, or a name with a value")
    return lines._replace(foreign_lines=foreign)


def _parser(content: Path) -> Callable[[str], Iterator[Sample]]:
    with content.open("rb") as stream:
        stream.seek(max(0, content.stat().st_size - 64))
        is_open = stream.read().rstrip().endswith(b"# EOF")
    if is_open:
        read_document: Callable[[str], Iterator[Metric]] = open_metrics
        return lambda line: (one for family in read_document(_as_document(line)) for one in family.samples)
    return lambda line: (one for family in text_format(line) for one in family.samples)


def _as_document(line: str) -> str:
    """One line of OpenMetrics as a document of its own; only a counter may have an exemplar, so it is declared."""
    stem = _TOTAL.match(line)
    return f"# TYPE {stem[1]} counter\n{line}\n# EOF\n" if stem else f"{line}\n# EOF\n"


def _parsed(line: Line, parse: Callable[[str], Iterator[Sample]], refusals: Refusals) -> Sample | None:
    location = f"line {line.number}"
    if not line.is_ended:
        refusals.add(location, "truncated", "the last line has no end, so that its number may be cut")
        return None
    try:
        parsed = list(parse(line.text.decode()))
    except UnicodeDecodeError:
        refusals.add(location, "encoding", "the line is not UTF-8")
    except ValueError:
        refusals.add(location, "bad_count", "the line is no sample of exposition text")
    else:
        if len(parsed) == 1:
            return parsed[0]
        refusals.add(location, "bad_count", "the line is no sample of exposition text")
    return None


def sampled_at(sample: Sample, scrape: Scrape) -> int | None:
    """When a sample was taken: its own timestamp, else the time of the scrape; microseconds since 1970."""
    if sample.timestamp is None:
        return scrape.at
    return round(float(sample.timestamp) * _MICRO)


def label_set(labels: Mapping[str, str]) -> str:
    """The labels of a series in one order."""
    return "\n".join(f"{name}={labels[name]}" for name in sorted(labels))


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(reversed(list(pattern.finditer(text))), None)


def _moment(written: re.Match[str], source: Source) -> tuple[int | None, bool]:
    if written.re is _EPOCH:
        digits, fraction = written[1], written[2] or ""
        whole = digits + fraction if len(digits) == _SECOND_DIGITS else digits
        return int(whole.ljust(_SECOND_DIGITS + 6, "0")[: _SECOND_DIGITS + 6]), False
    year, month, day, hour, minute, second, fraction, offset = written.groups()
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{fraction or '0'}{offset or ''}"
    if offset is not None:
        return _exactly(text), False
    moment = instants(pl.Series([text]), clock_of(source)).values.to_physical()[0]
    return moment, "timezone" not in source.options


def _exactly(text: str) -> int | None:
    """A time with its offset; unknown where no calendar has it."""
    try:
        return microseconds_of(datetime.fromisoformat(text.upper()))
    except ValueError:
        return None
