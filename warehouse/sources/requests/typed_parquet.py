"""Requests in typed Parquet land as they are, a batch at a time; only rows that are refused are turned into text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.schemas.landed import Requests
from warehouse.sources.casts.casts import Cast, first_reason, refused
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.parquet_records import typed_batches
from warehouse.sources.decode.parquet_text import written
from warehouse.sources.decode.records import refusals
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests.request_casts import COLUMNS, TIMES, Typed, cast_of, checked
from warehouse.sources.requests.request_rows import request_rows
from warehouse.sources.requests.typed_columns import typed_cast
from warehouse.sources.source import Source

ROW_GROUP: Final = 1 << 18
"""Rows of one group of a landed file."""


def read_typed(delivered: Delivered, source: Source, layout: Layout, cached_by_rule: str | None) -> Reading:
    """All requests of a Parquet file, repeats and all, as Parquet beside it.

    Raises:
        RejectedFile: as warehouse.sources.decode.parquet_records.typed_batches, or empty_file.
    """
    path = delivered.content.with_name(f"requests-{delivered.sha256}.parquet")
    schema = Requests.empty().to_arrow().schema
    texts = [name for name, dtype in Requests.polars_schema().items() if dtype == pl.String and name != "request_id"]
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=texts) as writer:
        file = _File(delivered, source, layout, cached_by_rule, writer)
        for batch in typed_batches(delivered.content, layout):
            file.add(batch)
        file.flush()
    if not file.rows and not delivered.is_proved:
        raise RejectedFile("empty_file", "the file has no row, only a header or white space")
    return file.reading(path)


@dataclass
class _File:
    """What has been read so far."""

    delivered: Delivered
    source: Source
    layout: Layout
    cached_by_rule: str | None
    writer: pq.ParquetWriter
    rows: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    held: list[pl.DataFrame] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch) -> None:
        """Check the rows of a batch, keep the good ones, and say of the others why not."""
        present = frozenset({*batch.schema.names, *self.layout.constants})
        casts = {name: self._cast(name, batch, present) for name in COLUMNS}
        typed = checked(casts, present, self.delivered.ahead, self.cached_by_rule)
        kept = typed.rows.with_row_index("position", offset=self.rows + 1)
        if typed.reasons.null_count() < len(typed.reasons):
            kept = kept.filter(typed.reasons.is_null())
            self.refused.append(self._refused(batch, typed))
        self.flags |= self._doubts(batch, present)
        self.rows += batch.num_rows
        self.held.append(request_rows(kept, self.source.name))
        if sum(frame.height for frame in self.held) >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        rows = pl.concat([Requests.empty(), *self.held])
        self.writer.write_table(rows.to_arrow().cast(self.writer.schema), row_group_size=ROW_GROUP)
        self.held = []

    def reading(self, path: Path) -> Reading:
        """The whole file."""
        return Reading(
            rows=self.rows,
            frames={"requests": Requests.empty()},
            refused=pl.concat([Reading(0, {}).refused, *self.refused]),
            flags=tuple(sorted(self.flags)),
            parts={"requests": [path]},
        )

    def _cast(self, name: str, batch: pa.RecordBatch, present: frozenset[str]) -> Cast:
        clock, rows = clock_of(self.source), batch.num_rows
        if name in self.layout.constants or name not in batch.schema.names:
            cells = pl.Series(name, [self.layout.constants.get(name)], dtype=pl.String)
            cast = cast_of(name, cells, present, clock)
            return Cast(*(column.new_from_index(0, rows) for column in (cast.values, cast.reasons)))
        cells = batch.column(name)
        vectorised = typed_cast(name, cells, clock.zone)
        return (
            vectorised
            if vectorised is not None
            else _by_text(name, cells, cast_of(name, written(cells), present, clock))
        )

    def _refused(self, batch: pa.RecordBatch, typed: Typed) -> pl.DataFrame:
        is_bad = typed.reasons.is_not_null()
        positions = is_bad.arg_true() + self.rows + 1
        bad = batch.filter(is_bad.to_arrow())
        cells = [written(bad.column(name)).alias(name) for name in bad.schema.names]
        constants = [pl.lit(value).alias(name) for name, value in self.layout.constants.items()]
        location = pl.Series("location", [f"row {position}" for position in positions], dtype=pl.String)
        rows = pl.DataFrame([location, *cells]).with_columns(constants)
        return refusals(rows, typed.reasons.filter(is_bad), typed.faults.filter(is_bad))

    def _doubts(self, batch: pa.RecordBatch, present: frozenset[str]) -> frozenset[str]:
        identity = frozenset[str]() if "request_id" in present else frozenset({"no_identity"})
        times = (batch.column(name) for name in TIMES if name in batch.schema.names)
        shown = (cells.drop_null().slice(0, 1) if pa.types.is_timestamp(cells.type) else cells for cells in times)
        return identity | assumptions(self.source, *(written(cells) for cells in shown))


def _by_text(name: str, cells: pa.Array, cast: Cast) -> Cast:
    """The cast of a column that went by way of text; bytes that are no text are refused."""
    lost = written(cells).is_null() & ~pl.Series(cells.is_null())
    return Cast(cast.values.alias(name), first_reason(cast.reasons, refused(lost, "encoding")))
