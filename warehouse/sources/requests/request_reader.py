"""Requests of any table format are landed batch by batch, so that the size of a file does not matter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from warehouse.schemas.landed import Requests
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.decode.spill_buffer import HeldRows
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests.cache_accounting import stated
from warehouse.sources.requests.request_casts import TIMES, typed
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.source import Source

HELD: Final = 2_000_000
TRACED: Final = ("trace_id", "span_id", "parent_span_id", "span_role")
"""What a record may say of its place among the calls of a trace."""
FRAME: Final = "requests"


@dataclass(frozen=True)
class Shaped:
    """Some rows under canonical names, as text, and which of these names the file or a constant gives.

    `hidden` are columns of the file that no quarantine may show. A column `is_beside_by_habit` of the cells says where
    the writer is known to log cached tokens beside the input.
    """

    cells: pl.DataFrame
    present: frozenset[str]
    hidden: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


Shape = Callable[[Batch], Shaped]


@dataclass
class _File:
    """What has been read so far."""

    delivered: Delivered
    source: Source
    cached_by_format: str | None = None
    rows: int = 0
    blank: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    kept: HeldRows = field(init=False)

    def __post_init__(self) -> None:
        self.kept = HeldRows(self.delivered, FRAME, Requests.empty(), HELD)

    def add(self, batch: Batch, shaped: Shaped) -> None:
        """Type the rows of a batch, refuse the bad ones, keep the others."""
        by_rule = stated(self.source) or self.cached_by_format
        cast = typed(shaped.cells, shaped.present, clock_of(self.source), self.delivered.ahead, by_rule)
        traced = cast.rows.with_columns(shaped.cells[name] for name in TRACED if name in shaped.cells.columns)
        kept = traced.with_row_index("position", offset=self.rows + 1).filter(cast.reasons.is_null())
        self.kept.add(request_rows(kept, self.source.name))
        refused = pl.concat([batch.refused, refusals(batch.rows, cast.reasons, cast.faults)])
        self.refused.append(refused.with_columns(_shown(refused["raw"], shaped.hidden)))
        self.rows += batch.rows.height + batch.refused.height + batch.blank
        self.blank += batch.blank
        self.flags |= shaped.flags | self._doubts(shaped)

    def reading(self) -> Reading:
        """The whole file."""
        return Reading(
            rows=self.rows,
            frames=self.kept.frames(),
            refused=pl.concat([Reading(0, {}).refused, *self.refused]),
            blank=self.blank,
            flags=tuple(sorted(self.flags)),
            parts=self.kept.parts(),
        )

    def _doubts(self, shaped: Shaped) -> frozenset[str]:
        identity = frozenset[str]() if "request_id" in shaped.present else frozenset({"no_identity"})
        return identity | assumptions(self.source, *(shaped.cells[name] for name in TIMES if name in shaped.present))


def _shown(raw: pl.Series, hidden: tuple[str, ...]) -> pl.Series:
    """What was delivered without the columns that must not be shown."""
    if not hidden:
        return raw
    members = ({name: cell for name, cell in json.loads(text or "{}").items() if name not in hidden} for text in raw)
    return pl.Series(
        "raw", [json.dumps(cells, ensure_ascii=False) if cells else "" for cells in members], dtype=pl.String
    )


def read_requests(
    delivered: Delivered, source: Source, layout: Layout, shape: Shape, cached_by_format: str | None = None
) -> Reading:
    """All requests of the file, repeats and all; `cached_by_format` says where the format has cached tokens.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    file = _File(delivered, source, cached_by_format)
    for batch in batches(delivered, layout):
        file.add(batch, shape(batch))
    return file.reading()
