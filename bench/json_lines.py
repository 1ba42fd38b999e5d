"""What reading requests from JSON lines costs beside DuckDB: `python -m bench.json_lines [requests]` from the root.

Writes the requests of one night as flat JSONL, as LiteLLM spend logs and as OpenTelemetry spans, reads each file by the
product's reader and the fields that it needs by DuckDB, and prints seconds of processor and their ratio.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import litellm, otlp, table
from warehouse.sources.source import Source

NIGHT: Final = datetime(2026, 11, 20, tzinfo=UTC)
START: Final = datetime(2026, 11, 19, tzinfo=UTC)
SPANS_PER_LINE: Final = 100

Lines = Iterator[dict[str, Any]]


class Format(NamedTuple):
    """One format: how its lines are made, its reader, and the fields that DuckDB reads of them."""

    lines: Callable[[int], Lines]
    read: Callable[[Delivered, Source], Reading]
    query: str


def flat(count: int) -> Lines:
    """Requests of a table of one's own."""
    for row in range(count):
        start = START + timedelta(milliseconds=50 * row)
        yield {
            "request_id": f"r{row}",
            "start_at": start.isoformat(),
            "model": f"m{row % 5}",
            "team": f"t{row % 9}",
            "end_at": (start + timedelta(seconds=2)).isoformat(),
            "tenant": f"c{row % 99}",
            "status": "ok",
            "input_tokens": row % 5000,
            "output_tokens": row % 700,
        }


def spend_logs(count: int) -> Lines:
    """LiteLLM: what the provider answered lies in the metadata."""
    for row in range(count):
        start = START + timedelta(milliseconds=50 * row)
        used = {"prompt_tokens": row % 5000, "completion_tokens": row % 700}
        usage = used | {"prompt_tokens_details": {"cached_tokens": row % 100}}
        yield {
            "request_id": f"r{row}",
            "startTime": start.isoformat(),
            "model": "openai/m",
            "model_group": "m",
            "endTime": (start + timedelta(seconds=2)).isoformat(),
            "team_id": f"t{row % 9}",
            "end_user": "c",
            "status": "success",
            "call_type": "acompletion",
            "cache_hit": "False",
            "custom_llm_provider": "openai",
            **used,
            "request_tags": ["task:chat"],
            "metadata": {"usage_object": usage, "user_api_key_alias": "key"},
        }


def spans(count: int) -> Lines:
    """OpenTelemetry: a collector writes many spans in one line."""
    for first in range(0, count, SPANS_PER_LINE):
        batch = [_span(row) for row in range(first + 1, min(first + SPANS_PER_LINE, count) + 1)]
        scope = {"scope": {"name": "gateway"}, "spans": batch}
        yield {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}


def _span(row: int) -> dict[str, Any]:
    start = int(START.timestamp()) * 10**9 + row * 50_000_000
    texts = {"gen_ai.operation.name": "chat", "gen_ai.request.model": f"m{row % 5}"}
    counts = {"gen_ai.usage.input_tokens": row % 5000, "gen_ai.usage.output_tokens": row % 700}
    attributes = [{"key": name, "value": {"stringValue": text}} for name, text in texts.items()]
    attributes += [{"key": name, "value": {"intValue": str(size)}} for name, size in counts.items()]
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**9)}
    return {"traceId": f"{row:032x}", "spanId": f"{row:016x}", "name": "chat", **times, "attributes": attributes}


FORMATS: Final = {
    "table": Format(
        flat,
        table.read,
        """SELECT request_id, start_at::TIMESTAMPTZ, end_at::TIMESTAMPTZ, model, team, tenant, status, input_tokens,
        output_tokens FROM read_json(?)""",
    ),
    "litellm": Format(
        spend_logs,
        litellm.read,
        """SELECT request_id, startTime::TIMESTAMPTZ, endTime::TIMESTAMPTZ, model, model_group, team_id, end_user,
        status, call_type, cache_hit, prompt_tokens, completion_tokens,
        metadata.usage_object.prompt_tokens_details.cached_tokens FROM read_json(?)""",
    ),
    "otlp": Format(
        spans,
        otlp.read,
        """SELECT span.traceId, span.spanId, span.startTimeUnixNano::BIGINT, span.endTimeUnixNano::BIGINT,
        span.attributes
        FROM (SELECT unnest(scope.spans) AS span FROM (SELECT unnest(resource.scopeSpans) AS scope FROM
        (SELECT unnest(resourceSpans) AS resource FROM read_json(?))))""",
    ),
}


def main(count: int) -> None:
    """Print what each format takes beside DuckDB's read of the same file."""
    for name, each in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
            path = Path(folder) / "requests.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in each.lines(count)))
            size = path.stat().st_size
            delivered = Delivered("inbox/gateway/requests.jsonl", "ab" * 32, size, path, NIGHT)
            source = Source("gateway", "request_telemetry", name, "inbox/gateway/*.jsonl")
            begin = time.process_time()
            refused = each.read(delivered, source).refused.height
            read = time.process_time()
            columns = connection.execute(f"CREATE TABLE requests AS FROM ({each.query}) AS needed", [str(path)])
            columns.fetchall()
            floor = time.process_time() - read
        if refused:
            raise RuntimeError(f"{refused} made requests of {name} were refused")
        print(
            f"{name:8} {count:,} requests, {size / 1e6:,.0f} MB: {read - begin:.1f} s of processor, "
            f"DuckDB {floor:.1f} s, {(read - begin) / floor:.1f} times as long"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
