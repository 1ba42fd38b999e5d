"""One `:::MLLOG` record: when, what, and how many samples so far."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from warehouse.sources.decode.json_text import BadLine, leading_object

_MILLI: Final = 1000


class Record(NamedTuple):
    """One record; `at` in microseconds since 1970, `samples` as logged beside it."""

    at: int
    key: str
    value: Any
    samples: int | None
    status: str | None

    def measurements(self) -> list[tuple[str, float]]:
        """The numbers of the value: one under the record's key, or each of an object's under `key.name`."""
        parts = self.value.items() if isinstance(self.value, dict) else [("", self.value)]
        return [
            (f"{self.key}.{name}" if name else self.key, float(value))
            for name, value in parts
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]


def record(text: bytes, starts: range) -> Record:
    """The record a text after the marker holds.

    Raises:
        BadLine: the text is no object, or its time, key or sample count is none.
    """
    fields = leading_object(text)
    key, metadata = fields.get("key"), fields.get("metadata")
    if not isinstance(key, str) or not key.strip():
        raise BadLine("missing_key", "a record without key")
    metadata = metadata if isinstance(metadata, dict) else {}
    at = _instant(fields.get("time_ms"), starts)
    samples, status = _samples(metadata.get("samples_count")), metadata.get("status")
    return Record(at, key.strip(), fields.get("value"), samples, status if isinstance(status, str) else None)


def _instant(time_ms: object, starts: range) -> int:
    if isinstance(time_ms, bool) or not isinstance(time_ms, int | float) or not math.isfinite(time_ms):
        raise BadLine("bad_date", "time_ms is no number of milliseconds")
    at = int(time_ms * _MILLI)
    if at not in starts:
        raise BadLine("date_out_of_range", "time_ms lies before 2015 or after the night")
    return at


def _samples(samples: object) -> int | None:
    if samples is None:
        return None
    if not isinstance(samples, int | float) or samples < 0 or not float(samples).is_integer():
        raise BadLine("bad_count", "samples_count is no whole number")
    return int(samples)
