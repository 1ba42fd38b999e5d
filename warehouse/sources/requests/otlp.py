"""OpenTelemetry in JSON lines: every span or log record is a row, those that ask a model are requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.schemas.landed import Requests
from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.decode.text_lines import Line, text_lines
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.rejects import Refusals
from warehouse.sources.requests import otlp_spans as spans
from warehouse.sources.requests.otlp_names import Said, objects, said_by
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.source import Source

_STARTS: Final = ("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
_METRICS: Final = "resourceMetrics"
_BATCH: Final = 100_000


class _Signal(NamedTuple):
    resources: str
    scopes: str
    records: str


class _Placed(NamedTuple):
    """A span or log record with where it stands and what its resource says."""

    path: str
    resource: Said
    record: Mapping[str, Any]


_SIGNALS: Final = (
    _Signal("resourceSpans", "scopeSpans", "spans"),
    _Signal("resourceLogs", "scopeLogs", "logRecords"),
)


class Request(NamedTuple):
    """One request as a span tells it; the fields are columns of landed.requests, times in microseconds."""

    position: int
    request_id: str | None
    start_at: int | None = None
    requests: int = 0
    end_at: int | None = None
    model: str | None = None
    deployment: str | None = None
    team: str | None = None
    tenant: str | None = None
    task: str | None = None
    status: str = "ok"
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    ttft_us: int | None = None


def read(delivered: Delivered, source: Source) -> Reading:
    """Requests of one file, repeats and all; agent and tool spans are accepted and count nothing."""
    found = _File(plausible_starts(delivered.ahead))
    for line in text_lines(delivered.content):
        found.add_line(line)
    return Reading(
        rows=found.rows,
        frames={"requests": request_rows(found.requests(), source.name)},
        refused=found.refusals.frame(),
        blank=found.blank,
    )


@dataclass
class _File:
    """The rows of one file while it is read; requests become frames before they take much memory."""

    starts: range
    rows: int = 0
    blank: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    gathered: list[Request] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)

    def add_line(self, line: Line) -> None:
        """Count the rows of one line: blank, unreadable, or as many as it has records."""
        location = f"line {line.number}"
        if not line.text.strip():
            self.rows, self.blank = self.rows + 1, self.blank + 1
            return
        try:
            records = list(_records(json_object(line.text)))
        except BadLine as bad:
            self.rows += 1
            is_cut = bad.reason == "bad_json" and not line.is_ended
            self.refusals.add(location, "truncated" if is_cut else bad.reason, bad.detail)
            return
        for placed in records:
            self._add(location, placed)

    def _add(self, location: str, placed: _Placed) -> None:
        self.rows += 1
        said: Said = {}
        try:
            said = said_by(placed.record, placed.resource)
            request = _request(self.rows, said, placed.record, self.starts)
        except BadLine as bad:
            self.refusals.add(f"{location} {placed.path}", bad.reason, bad.detail, spans.disclosable(said))
        else:
            self.gathered += [request] if request else []
            self.frames += [self._flushed()] if len(self.gathered) >= _BATCH else []

    def requests(self) -> pl.DataFrame:
        """Every request of the file, in the order of its rows."""
        return pl.concat([*self.frames, self._flushed()])

    def _flushed(self) -> pl.DataFrame:
        columns = Requests.polars_schema()
        plain = {name: pl.Int64() if columns[name] == INSTANT else columns[name] for name in Request._fields}
        times = [pl.col(name).cast(INSTANT) for name in plain if columns[name] == INSTANT]
        rows, self.gathered = self.gathered, []
        return pl.DataFrame(rows, schema=plain, orient="row").with_columns(times)


def _records(line: Mapping[str, Any]) -> Iterator[_Placed]:
    """Every span or log record of one line, in order; a line of metrics is one row that counts nothing."""
    if not line.keys() & {_METRICS, *(signal.resources for signal in _SIGNALS)}:
        raise BadLine("bad_json", "an object that is no OTLP: it has no resourceSpans, resourceLogs or resourceMetrics")
    if _METRICS in line:
        yield _Placed(f"$.{_METRICS}", {}, {})
    for signal in _SIGNALS:
        yield from _of_signal(line, signal)


def _of_signal(line: Mapping[str, Any], signal: _Signal) -> Iterator[_Placed]:
    for i, holder in enumerate(objects(line, signal.resources)):
        resource = holder.get("resource")
        said = said_by(resource, {}) if isinstance(resource, dict) else {}
        for place, record in _of_resource(holder, signal):
            yield _Placed(f"$.{signal.resources}[{i}].{place}", said, record)


def _of_resource(holder: Mapping[str, Any], signal: _Signal) -> Iterator[tuple[str, dict[str, Any]]]:
    for i, scope in enumerate(objects(holder, signal.scopes)):
        for k, record in enumerate(objects(scope, signal.records)):
            yield f"{signal.scopes}[{i}].{signal.records}[{k}]", record


def _request(position: int, said: Said, record: Mapping[str, Any], starts: range) -> Request | None:
    """The request a span tells of; a span that is none keeps its identity, for a batch may be sent twice."""
    identity = spans.identity(record)
    if not spans.is_inference(said):
        start_at = spans.moment(record, _STARTS)
        return Request(position, identity, start_at) if identity and start_at in starts else None
    request = Request(
        position,
        spans.answered(identity, said),
        model=spans.text(said, "model"),
        deployment=spans.text(said, "deployment"),
        team=spans.text(said, "team"),
        tenant=spans.tenant(said),
        task=spans.text(said, "task"),
    )
    if identity is None and "startTimeUnixNano" in record:
        raise BadLine("missing_key", "traceId or spanId is empty")
    start_at, end_at = _times(record, starts)
    used = spans.usage(said)
    return request._replace(
        start_at=start_at,
        requests=1,
        end_at=end_at,
        status="error" if spans.is_error(said, record) else "ok",
        input_tokens=used.input,
        cached_input_tokens=used.cached,
        output_tokens=used.output,
        ttft_us=spans.first_token(said, record, start_at),
    )


def _times(record: Mapping[str, Any], starts: range) -> tuple[int, int | None]:
    start_at, end_at = spans.moment(record, _STARTS), spans.moment(record, ("endTimeUnixNano",))
    if start_at is None:
        raise BadLine("bad_date", "no start")
    if start_at not in starts:
        raise BadLine("date_out_of_range", "the start lies before 2015 or after the night")
    if end_at is not None and end_at < start_at:
        raise BadLine("end_before_start", "the end lies before the start")
    return start_at, end_at
