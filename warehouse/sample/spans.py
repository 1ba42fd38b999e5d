"""Requests of the agents as OTLP JSON lines: a chat span each, inside an agent's span that repeats its usage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import polars as pl

from warehouse.sample.archive import packed, put

SPAN_TIME: Final = timedelta(seconds=3.2)
AROUND: Final = timedelta(milliseconds=180)
RESENT_EVERY: Final = 40


def write_spans(folder: Path, seed: int, hours: pl.DataFrame) -> None:
    """One file per ISO week; now and then the exporter sends a batch twice."""
    requests = [
        (row["hour"] + timedelta(minutes=60 * (number + 0.5) / row["requests"]), row)
        for row in hours.to_dicts()
        for number in range(row["requests"])
    ]
    for week, asked in groupby(enumerate(requests), key=lambda each: f"{each[1][0]:%G-W%V}"):
        lines = [
            line
            for number, (moment, row) in asked
            for line in [_batch(seed, number, moment, row)] * (2 if number % RESENT_EVERY == 0 else 1)
        ]
        put(folder / f"traces_{week}.jsonl.gz", packed("\n".join(lines) + "\n"))


def _batch(seed: int, number: int, moment: datetime, row: dict[str, Any]) -> str:
    resource = {"attributes": [_text("service.name", "sql-agent"), _text("k8s.namespace.name", row["team"])]}
    spans = list(_spans(hashlib.sha256(f"{seed}/{number}".encode()).hexdigest(), moment, row))
    scope = {"scope": {"name": "agents", "version": "1"}, "spans": spans}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}, separators=(",", ":"))


def _spans(identity: str, moment: datetime, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The agent's span, which counts nothing, and the request inside it."""
    trace, agent, chat = identity[:32], identity[32:48], identity[48:64]
    usage = [
        _text("gen_ai.provider.name", "quillmere"),
        _text("gen_ai.request.model", row["model"]),
        _text("trisect.task", row["task"]),
        _count("gen_ai.usage.input_tokens", row["input_tokens"] // row["requests"]),
        _count("gen_ai.usage.output_tokens", row["output_tokens"] // row["requests"]),
    ]
    for span, parent, operation, start, end in (
        (agent, "", "invoke_agent", moment - AROUND, moment + SPAN_TIME + AROUND),
        (chat, agent, "chat", moment, moment + SPAN_TIME),
    ):
        yield {
            "traceId": trace,
            "spanId": span,
            "parentSpanId": parent,
            "name": f"{operation} {row['model']}",
            "kind": 3,
            "startTimeUnixNano": _nanoseconds(start),
            "endTimeUnixNano": _nanoseconds(end),
            "attributes": [_text("gen_ai.operation.name", operation), *usage],
            "status": {},
        }


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _count(key: str, value: int) -> dict[str, Any]:
    return {"key": key, "value": {"intValue": str(value)}}


def _nanoseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1_000_000) * 1000)
