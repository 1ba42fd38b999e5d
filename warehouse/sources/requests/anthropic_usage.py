"""Pages of Anthropic's usage report for messages. The API counts tokens by kind and no requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests.usage_pages import BadResult, Pages, Usage, count_of, read_pages
from warehouse.sources.source import Source

GROUPS: Final = ("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo")
COLUMNS: Final = ("model", "deployment_id", "team", "tenant", "task")
_WRITTEN: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_FLAT: Final = ("cache_creation_input_tokens", "cache_creation_5m_input_tokens", "cache_creation_1h_input_tokens")
_COST: Final = "amount"


def read(delivered: Delivered, source: Source) -> Reading:
    """The usage of a file of pages; each result of an hour counts as one request, for nothing says how many it had.

    Raises:
        RejectedFile: as usage_pages.read_pages, and unreadable for pages of costs, which are a bill.
    """
    return read_pages(delivered, source, _PAGES)


def _span(bucket: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return _moment(bucket.get("starting_at")), _moment(bucket.get("ending_at"))


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadResult("bad_date", "starting_at and ending_at of a bucket are times in ISO 8601") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _usage(entry: Mapping[str, Any]) -> Usage:
    """The input is what the model was given: uncached, read from a cache and written to one."""
    if _COST in entry:
        raise RejectedFile("unreadable", "a page of costs, not of usage: read it as gpu_billing with format table")
    created = entry.get("cache_creation")
    written = sum(count_of(created, name) or 0 for name in _WRITTEN) if isinstance(created, dict) else 0
    written += sum(count_of(entry, name) or 0 for name in _FLAT)
    cached = count_of(entry, "cache_read_input_tokens") or 0
    uncached = count_of(entry, "uncached_input_tokens")
    if uncached is None:
        uncached = count_of(entry, "input_tokens") or 0
    return Usage(1, uncached + cached + written, cached, written, count_of(entry, "output_tokens"))


_PAGES: Final = Pages(
    _span,
    _usage,
    GROUPS,
    MappingProxyType({"deployment_id": "workspace_id"}),
    ("model", "service_tier", "context_window"),
    frozenset(("api_key_id",)),
)
