"""Requests of any table: canonical columns, or the columns that the source's settings name."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from warehouse.sources.decode.column_mapping import Layout, source_layout
from warehouse.sources.decode.records import Batch, is_parquet
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests.cache_accounting import INSIDE, stated
from warehouse.sources.requests.request_casts import COLUMNS, COUNTS
from warehouse.sources.requests.request_reader import Shaped, read_requests
from warehouse.sources.requests.typed_parquet import read_typed
from warehouse.sources.source import Source

_EVERY_LINE_DIFFERS: Final = (".jsonl", ".ndjson", ".json")
_MISSED: Final = frozenset({"request_id", "model", *COUNTS})


def read(delivered: Delivered, source: Source) -> Reading:
    """The requests of a table.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    layout = layout_of(delivered.file, source)
    if is_parquet(delivered):
        return read_typed(delivered, source, layout, stated(source) or INSIDE)
    return read_requests(delivered, source, layout, shape, INSIDE)


def layout_of(file: str, source: Source) -> Layout:
    """Columns that the settings name must be there, or a new header would make tokens vanish in silence."""
    is_free = any(suffix in _EVERY_LINE_DIFFERS for suffix in PurePosixPath(file.lower()).suffixes)
    named = () if is_free else tuple((name,) for name in source.columns if name in _MISSED)
    return source_layout(source, COLUMNS, (("start_at", "hour"), *named))


def shape(batch: Batch) -> Shaped:
    """The rows as they are: their columns are canonical already."""
    return Shaped(batch.rows, batch.present)
