"""Pages of OpenAI's usage API, of all its kinds: completions, embeddings, moderations, images, speech."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from warehouse.sources.casts.date_guard import EPOCH
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests.usage_pages import BadResult, Pages, Usage, count_of, read_pages
from warehouse.sources.source import Source

GROUPS: Final = ("model", "project_id", "user_id", "api_key_id", "batch", "service_tier", "source", "size")
COLUMNS: Final = ("model", "deployment_id", "team", "tenant", "task")
_COSTS: Final = "organization.costs.result"
_UNITS: Final = {"images": "image", "seconds": "second", "characters": "character"}
_LAST: Final = 4_102_444_800  # 2100


def read(delivered: Delivered, source: Source) -> Reading:
    """The usage of a file of pages; cached tokens stand inside the input, as the API defines them.

    Raises:
        RejectedFile: as usage_pages.read_pages, and unreadable for pages of costs, which are a bill.
    """
    return read_pages(delivered, source, _PAGES)


def _span(bucket: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = (_moment(bucket.get(name)) for name in ("start_time", "end_time"))
    return start, end


def _moment(value: object) -> datetime:
    if not isinstance(value, int) or not 0 < value < _LAST:
        raise BadResult("bad_date", "start_time and end_time of a bucket are seconds since 1970")
    return EPOCH + timedelta(seconds=value)


def _usage(entry: Mapping[str, Any]) -> Usage:
    if entry.get("object") == _COSTS:
        raise RejectedFile("unreadable", "a page of costs, not of usage: read it as gpu_billing with format table")
    unit = next((name for name in _UNITS if entry.get(name) is not None), None)
    return Usage(
        requests=count_of(entry, "num_model_requests") or 0,
        input_tokens=count_of(entry, "input_tokens"),
        cached_input_tokens=count_of(entry, "input_cached_tokens"),
        output_tokens=count_of(entry, "output_tokens"),
        units=count_of(entry, unit) if unit else None,
        unit_name=_UNITS[unit] if unit else None,
    )


_PAGES: Final = Pages(
    _span,
    _usage,
    GROUPS,
    MappingProxyType({"deployment_id": "project_id", "tenant": "user_id"}),
    ("model", "project_id", "user_id"),
    frozenset(("user_id", "api_key_id")),
)
