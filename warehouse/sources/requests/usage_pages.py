"""Saved answers of a provider's usage API: pages of buckets of time, and in each bucket a result for each group.

A bucket wider than an hour becomes an hour a row, evenly; a row is one hour of one result. Pages overlap and open
buckets grow: of the rows of one hour and group that of the narrower bucket counts, then the one with more tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from warehouse.schemas.landed import Requests
from warehouse.sources.casts.date_guard import EARLIEST
from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.source import Source

LARGEST: Final = 1 << 28
HOUR: Final = timedelta(hours=1)
MICRO: Final = 1_000_000
MOST: Final = 10**15
GROUPED_BY: Final = "grouped_by"
DIMENSIONS: Final = ("deployment_id", "team", "tenant", "task")
"""What `[source.columns]` may take from a field that results are grouped by."""

_ID_DIGITS: Final = 32
_HASH_DIGITS: Final = 16


class BadResult(Exception):  # noqa: N818 - a fact about the input
    """A result that cannot count: `reason` is a code of the closed list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Usage(NamedTuple):
    """What one result says of its bucket; `input_tokens` holds all parts, `units` are whole."""

    requests: int
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    units: int | None = None
    unit_name: str | None = None


@dataclass(frozen=True)
class Pages:
    """How one provider writes its pages.

    `span` and `usage` read a bucket's times and a result's counts; `groups` are the fields that results may be grouped
    by, `columns` which of them stand for which canonical column, `always` those that no result lacks which is grouped
    by them, `is_personal` those that are hashed.
    """

    span: Callable[[Mapping[str, Any]], tuple[datetime, datetime]]
    usage: Callable[[Mapping[str, Any]], Usage]
    groups: tuple[str, ...]
    columns: Mapping[str, str]
    always: tuple[str, ...]
    is_personal: frozenset[str] = frozenset()


def read_pages(delivered: Delivered, source: Source, pages: Pages) -> Reading:
    """All results of the pages of a file; pages without any are an answer too, and hold no row.

    Raises:
        RejectedFile: limit, encoding, unreadable or missing_column.
    """
    rows: list[dict[str, Any]] = []
    refusals, flags = Refusals(), set[str]()
    has_more = False
    for path, page in _documents(delivered.content):
        has_more = page.get("has_more") is True
        for location, bucket, entry in _results(page, path):
            flags.add(_grouping(entry, pages))
            try:
                rows += _hours(location, bucket, entry, pages, source, delivered)
            except BadResult as bad:
                refusals.add(location, bad.reason, bad.detail)
    flags |= {"has_more"} if has_more else set()
    flags |= {"spread_evenly"} if any(row["is_spread"] for row in rows) else set()
    return Reading(
        rows=len(rows) + len(refusals),
        frames={"requests": _landed(rows, source)},
        refused=refusals.frame(),
        flags=tuple(sorted(flags)),
    )


def _grouping(entry: Mapping[str, Any], pages: Pages) -> str:
    """By what the query grouped its results: the same usage in two groupings would count twice."""
    return "-".join((GROUPED_BY, *(name for name in pages.always if entry.get(name) is not None)))


def count_of(entry: Mapping[str, Any], name: str) -> int | None:
    """A whole number that is not negative, or nothing.

    Raises:
        BadResult: bad_count.
    """
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise BadResult("bad_count", f"{name} is no whole number of zero or more")
    return value


def _documents(content: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The pages of a file with where each stands: one document, or one a line."""
    if content.stat().st_size > LARGEST:
        raise RejectedFile("limit", f"pages of more than {LARGEST >> 20} MiB; save one page a file or a line")
    text = content.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    try:
        yield "$", json_object(text)
    except BadLine as bad:
        lines = text.split(b"\n")
        if len(lines) == 1 or bad.reason == "encoding":
            raise _rejected(bad) from bad
    else:
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"line {number}: $", json_object(line)
            except BadLine as bad:
                raise _rejected(bad) from bad


def _rejected(bad: BadLine) -> RejectedFile:
    reason = "encoding" if bad.reason == "encoding" else "unreadable"
    return RejectedFile(reason, f"no page of JSON, and not one a line: {bad.detail}; save each answer whole")


def _results(page: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    buckets = page.get("data")
    if not isinstance(buckets, list):
        raise RejectedFile(
            "missing_column", f"no list `data` in the page, found: {', '.join(sorted(page)) or 'nothing'}"
        )
    for number, bucket in enumerate(buckets):
        results = bucket.get("results") if isinstance(bucket, dict) else None
        if not isinstance(results, list):
            raise RejectedFile("missing_column", f"{path}.data[{number}] is no bucket with a list `results`")
        for ordinal, entry in enumerate(results):
            yield f"{path}.data[{number}].results[{ordinal}]", bucket, entry if isinstance(entry, dict) else {}


def _hours(
    location: str,
    bucket: Mapping[str, Any],
    entry: Mapping[str, Any],
    pages: Pages,
    source: Source,
    delivered: Delivered,
) -> list[dict[str, Any]]:
    """A result as one row an hour of its bucket."""
    start, end = pages.span(bucket)
    if not EARLIEST <= start < delivered.ahead:
        raise BadResult("date_out_of_range", "the bucket starts before 2015 or after the night")
    if end <= start:
        raise BadResult("end_before_start", "the bucket ends before it starts")
    usage = pages.usage(entry)
    parts = (usage.cached_input_tokens or 0) + (usage.cache_write_tokens or 0)
    if parts > (usage.input_tokens or 0):
        raise BadResult("token_mismatch", "more cached tokens than input tokens")
    hours = -((start - end) // HOUR)
    named = {name: _text(entry.get(name)) for name in pages.groups}
    shared = {
        "location": location,
        "is_spread": hours > 1,
        "model": named.get("model") or source.constants.get("model"),
        "unit_name": usage.unit_name,
        **{column: _dimension(column, named, pages, source) for column in DIMENSIONS},
    }
    end_of_hour = HOUR - timedelta(microseconds=1) if hours > 1 else end - start
    return [
        shared
        | {
            "request_id": _identity(entry, start + hour * HOUR, [named[name] for name in pages.groups]),
            "start_at": start + hour * HOUR,
            "end_at": start + hour * HOUR + end_of_hour,
            **{name: _part(value, hour, hours) for name, value in usage._asdict().items() if name in _COUNTS},
            "units_micro": None if usage.units is None else _part(usage.units, hour, hours) * MICRO,  # type: ignore[operator]
        }
        for hour in range(hours)
    ]


_COUNTS: Final = ("requests", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")


def _part(whole: int | None, hour: int, of: int) -> int | None:
    """An even part; the rest goes to the first hours one by one, so that no part shrinks where the whole grows."""
    return None if whole is None else whole // of + (hour < whole % of)


def _identity(entry: Mapping[str, Any], start: datetime, groups: Sequence[str | None]) -> str:
    identity = repr((entry.get("object"), start.isoformat(), *groups))
    return hashlib.sha256(identity.encode()).hexdigest()[:_ID_DIGITS]


def _dimension(column: str, named: Mapping[str, str | None], pages: Pages, source: Source) -> str | None:
    """The field that the settings or the provider's habit name for a column, a person's hashed; else the constant."""
    field = source.columns.get(column, pages.columns.get(column, ""))
    value = named.get(field)
    if value is not None and field in pages.is_personal:
        value = hashlib.sha256(value.encode()).hexdigest()[:_HASH_DIGITS]
    return value or source.constants.get(column)


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _landed(rows: list[dict[str, Any]], source: Source) -> pl.DataFrame:
    absent = {"is_spread": pl.Boolean, "location": pl.String, "deployment_id": pl.String}
    frame = pl.DataFrame(rows, schema={**_SCHEMA, **absent}, orient="row").with_row_index("position", offset=1)
    named = frame.with_columns(
        deployment=pl.col("deployment_id"), status=pl.lit("ok"), is_growth=pl.lit(value=True)
    ).with_columns(pl.col("position").cast(pl.Int64))
    return request_rows(named, source.name).with_columns(pl.lit(None, dtype=pl.Int64).alias("duration_us"))


_SCHEMA: Final = {
    name: Requests.polars_schema()[name]
    for name in (
        *("request_id", "start_at", "end_at", "model", "team", "tenant", "task", "unit_name", "units_micro"),
        *_COUNTS,
    )
}
