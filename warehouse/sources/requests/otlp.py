"""OpenTelemetry in JSON lines: every span or log record is a row, those that ask a model are requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.schemas.landed import Requests
from warehouse.sources.casts.date_guard import plausible_starts
from warehouse.sources.decode.json_text import ONE_A_LINE, BadLine, json_object
from warehouse.sources.decode.text_lines import Line, text_lines
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.rejects import Refusals
from warehouse.sources.requests import otlp_spans as spans
from warehouse.sources.requests.cache_accounting import stated
from warehouse.sources.requests.otlp_names import Attributes, Names, attributes_of, names_of, objects
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.source import Source

COLUMNS: Final = ("model", "deployment_id", "team", "tenant", "task")
"""What the settings may name an attribute for, or say of spans that do not say it themselves."""

_STARTS: Final = ("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
_METRICS: Final = "resourceMetrics"
_OPEN: Final = (b"{", b"[")
_BATCH: Final = 100_000


class _Signal(NamedTuple):
    resources: str
    scopes: str
    records: str


class _Placed(NamedTuple):
    """A span or log record with where it stands, what its resource says, and the library that made it."""

    path: str
    resource: Attributes
    scope: str
    record: Mapping[str, Any]


_SIGNALS: Final = (
    _Signal("resourceSpans", "scopeSpans", "spans"),
    _Signal("resourceLogs", "scopeLogs", "logRecords"),
)


class Request(NamedTuple):
    """One span or log record; the fields are columns of landed.requests, times in microseconds."""

    position: int
    request_id: str | None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    span_role: str | None = None
    start_at: int | None = None
    requests: int = 0
    end_at: int | None = None
    response_id: str | None = None
    model: str | None = None
    deployment: str | None = None
    team: str | None = None
    tenant: str | None = None
    task: str | None = None
    status: str = "ok"
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    is_cache_open: bool = False
    output_tokens: int | None = None
    ttft_us: int | None = None


def read(delivered: Delivered, source: Source) -> Reading:
    """Requests of one file, repeats and all; agent and tool spans are accepted and count nothing.

    Raises:
        RejectedFile: unreadable, for a document over several lines; limit.
    """
    file = _File(source, plausible_starts(delivered.ahead))
    for line in text_lines(delivered.content):
        file.add_line(line)
    return Reading(
        rows=file.rows,
        frames={"requests": request_rows(file.requests(), source.name)},
        refused=file.refusals.frame(),
        blank=file.blank,
    )


@dataclass
class _File:
    """The rows of one file while it is read; requests become frames before they take much memory."""

    source: Source
    starts: range
    rows: int = 0
    blank: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    gathered: list[Request] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = names_of(self.source.columns)

    def add_line(self, line: Line) -> None:
        """Count the rows of one line: blank, unreadable, or as many as it has records."""
        location = f"line {line.number}"
        if line.number == 1 and line.text.strip() in _OPEN:
            raise RejectedFile("unreadable", f"it is one JSON document over several lines; {ONE_A_LINE}")
        if not line.text.strip():
            self.rows, self.blank = self.rows + 1, self.blank + 1
            return
        try:
            records = list(_records(json_object(line.text), self.names))
        except BadLine as bad:
            self.rows += 1
            is_cut = bad.reason == "bad_json" and not line.is_ended
            self.refusals.add(location, "truncated" if is_cut else bad.reason, bad.detail)
            return
        for placed in records:
            self._add(location, placed)

    def _add(self, location: str, placed: _Placed) -> None:
        self.rows += 1
        attributes: Attributes = {}
        try:
            attributes = attributes_of(placed.record, placed.resource, self.names)
            request = _request(self.rows, attributes, placed, self)
        except BadLine as bad:
            self.refusals.add(f"{location} {placed.path}", bad.reason, bad.detail, spans.disclosable(attributes))
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


def _records(line: Mapping[str, Any], names: Names) -> Iterator[_Placed]:
    """Every span or log record of one line, in order; a line of metrics is one row that counts nothing."""
    if not line.keys() & {_METRICS, *(signal.resources for signal in _SIGNALS)}:
        raise BadLine("bad_json", "an object that is no OTLP: it has no resourceSpans, resourceLogs or resourceMetrics")
    if _METRICS in line:
        yield _Placed(f"$.{_METRICS}", {}, "", {})
    for signal in _SIGNALS:
        yield from _of_signal(line, signal, names)


def _of_signal(line: Mapping[str, Any], signal: _Signal, names: Names) -> Iterator[_Placed]:
    for i, holder in enumerate(objects(line, signal.resources)):
        resource = holder.get("resource")
        attributes = attributes_of(resource, {}, names) if isinstance(resource, dict) else {}
        for path, scope, record in _of_resource(holder, signal):
            yield _Placed(f"$.{signal.resources}[{i}].{path}", attributes, scope, record)


def _of_resource(holder: Mapping[str, Any], signal: _Signal) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for i, scope in enumerate(objects(holder, signal.scopes)):
        library = scope.get("scope")
        name = str(library.get("name", "")) if isinstance(library, dict) else ""
        for k, record in enumerate(objects(scope, signal.records)):
            yield f"{signal.scopes}[{i}].{signal.records}[{k}]", name, record


def _request(position: int, attributes: Attributes, placed: _Placed, file: _File) -> Request | None:
    """The request a span tells of; one that is none keeps its place in the trace, and its identity: batches repeat."""
    trace, span, parent = spans.trace_and_span(placed.record)
    role = spans.role(attributes, placed.record, placed.scope)
    identity = f"{trace}:{span}" if trace and span else None
    request = Request(position, identity, trace, span, parent, role)
    if role == "frame":
        return _frame(request, attributes, placed, file)
    constants = file.source.constants
    named = request._replace(
        response_id=spans.text(attributes, "response"),
        model=spans.text(attributes, "model") or constants.get("model"),
        deployment=spans.text(attributes, "deployment") or constants.get("deployment_id"),
        team=spans.text(attributes, "team") or constants.get("team"),
        tenant=spans.tenant(attributes) or constants.get("tenant"),
        task=spans.text(attributes, "task") or constants.get("task"),
    )
    if identity is None and "startTimeUnixNano" in placed.record:
        raise BadLine("missing_key", "traceId or spanId is empty")
    start_at, end_at = _times(placed.record, file.starts)
    return _with_usage(named, attributes, placed, file)._replace(
        start_at=start_at,
        requests=1,
        end_at=end_at,
        status="error" if spans.is_error(attributes, placed.record) else "ok",
        ttft_us=spans.first_token(attributes, placed.record, start_at),
    )


def _frame(request: Request, attributes: Attributes, placed: _Placed, file: _File) -> Request | None:
    """A span that is no request, with the usage it repeats, if it can be read."""
    start_at = spans.moment(placed.record, _STARTS)
    if start_at is None or start_at not in file.starts:
        return None
    call = request._replace(start_at=start_at)
    try:
        call = _with_usage(call, attributes, placed, file)._replace(model=spans.text(attributes, "model"))
    except BadLine:
        return call if request.request_id else None
    return call if request.request_id or call.input_tokens or call.output_tokens else None


def _with_usage(request: Request, attributes: Attributes, placed: _Placed, file: _File) -> Request:
    used = spans.usage(attributes, placed.scope, stated(file.source))
    return request._replace(
        input_tokens=used.input,
        cached_input_tokens=used.cached,
        cache_write_tokens=used.written,
        is_cache_open=used.is_open,
        output_tokens=spans.output(attributes),
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
