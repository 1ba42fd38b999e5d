"""The answer of OpenCost's allocation API: sets of named allocations, each as a row of text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from warehouse.sources.decode.json_text import BadLine, json_object
from warehouse.sources.reader_protocol import RejectedFile

LARGEST: Final = 1 << 28
SUCCESS: Final = 200
PROPERTIES: Final = ("cluster", "node", "namespace", "controller", "pod", "container")
MEMBERS: Final = {"started_at": "start", "ended_at": "end", "gpu_hours": "gpuHours"}
_SCHEMA: Final = dict.fromkeys(("location", "name", *PROPERTIES, "labels", *MEMBERS), pl.String)


def is_answer(content: Path) -> bool:
    """Whether the file is a JSON document; else it is the CSV export."""
    with content.open("rb") as stream:
        return stream.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def allocations(content: Path) -> pl.DataFrame:
    """One allocation of one window, its members as text.

    Raises:
        RejectedFile: limit, encoding, unreadable.
    """
    if content.stat().st_size > LARGEST:
        raise RejectedFile("limit", f"a JSON document above {LARGEST >> 20} MiB; ask for shorter windows")
    try:
        answer = json_object(content.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except BadLine as bad:
        reason = "encoding" if bad.reason == "encoding" else "unreadable"
        raise RejectedFile(reason, f"no JSON document: {bad.detail}") from bad
    sets = answer.get("data")
    if answer.get("code", SUCCESS) != SUCCESS or not isinstance(sets, list):
        raise RejectedFile("unreadable", "no successful answer of /allocation: code is not 200, or data is no list")
    return pl.DataFrame(list(_rows(sets)), schema=_SCHEMA, orient="row")


def _rows(sets: list[Any]) -> Iterator[dict[str, str | None]]:
    for position, allocations in enumerate(sets):
        for name, allocation in _members(allocations).items():
            fields = _members(allocation)
            yield {
                "location": f"$.data[{position}][{json.dumps(name, ensure_ascii=False)}]",
                "name": name,
                **{key: _text(_members(fields.get("properties")).get(key)) for key in PROPERTIES},
                "labels": json.dumps(_members(_members(fields.get("properties")).get("labels")), ensure_ascii=False),
                **{column: _text(fields.get(key)) for column, key in MEMBERS.items()},
            }


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """A text or number as it would be written; NaN and anything else say nothing."""
    is_number = isinstance(value, int | float) and not math.isnan(value)
    return str(value) if is_number or isinstance(value, str) else None
