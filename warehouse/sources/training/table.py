"""Training runs and metrics of any table: canonical columns, or the columns that the source's settings name."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from warehouse.schemas.raw import RunRows
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of
from warehouse.sources.decode.column_mapping import Layout, source_layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.decode.row_digests import row_digests
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training.run_casts import COLUMNS, COUNTS, SIZES, TIMES, typed_runs
from warehouse.sources.training.sidecar import is_sidecar, refuse_sidecar
from warehouse.sources.training.table_metrics import read_long, read_wide

LONG: Final = ("run_id", "name", "value")
WIDE: Final = ("step", "loss")
_EVERY_LINE_DIFFERS: Final = (".jsonl", ".ndjson", ".json")
_MISSED: Final = frozenset({"run_id", "final_loss", *COUNTS, *SIZES})
_DIGITS: Final = 16


def read(delivered: Delivered, source: Source) -> Reading:
    """Runs, or the metrics of runs, whichever the columns tell of; a sidecar is a row of its own.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    if is_sidecar(delivered.file):
        return Reading(rows=1, frames={}, refused=refuse_sidecar(delivered, source).frame())
    present = _present(delivered, source)
    if "started_at" not in present and present.issuperset(LONG):
        return read_long(delivered, source)
    if "started_at" not in present and present.issuperset(WIDE):
        return read_wide(delivered, source)
    return _read_runs(delivered, source)


def _present(delivered: Delivered, source: Source) -> frozenset[str]:
    """The canonical columns of the first rows."""
    layout = source_layout(source, (*COLUMNS, *LONG, *WIDE), (("started_at", "value", "loss"),))
    return next((batch.present for batch in batches(delivered, layout)), frozenset())


def _read_runs(delivered: Delivered, source: Source) -> Reading:
    file = _File(delivered, source, _content_digest(delivered))
    for batch in batches(delivered, _layout(delivered.file, source)):
        file.add(batch)
    return Reading(
        rows=file.rows,
        frames={RunRows.table_name: pl.concat([RunRows.empty(), *file.runs])},
        refused=pl.concat([Reading(0, {}).refused, *file.refused]),
        blank=file.blank,
        flags=tuple(sorted(file.flags)),
    )


def _layout(file: str, source: Source) -> Layout:
    """Columns that the settings name must be there, or a new header would make GPUs vanish in silence."""
    is_free = any(suffix in _EVERY_LINE_DIFFERS for suffix in PurePosixPath(file.lower()).suffixes)
    named = () if is_free else tuple((name,) for name in source.columns if name in _MISSED)
    return source_layout(source, COLUMNS, (("started_at",), ("ended_at", "duration_s", "gpu_seconds"), *named))


def _content_digest(delivered: Delivered) -> str:
    """Digest of the unpacked content, so that compression does not name a run."""
    with delivered.content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:_DIGITS]


@dataclass
class _File:
    """The runs of one file while it is read; `seen` counts rows without id that say the same."""

    delivered: Delivered
    source: Source
    digest: str
    rows: int = 0
    blank: int = 0
    runs: list[pl.DataFrame] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch) -> None:
        """Type the rows of a batch, refuse the bad ones; a run that never started counts nothing."""
        typed, reasons, faults = typed_runs(batch.rows, batch.present, clock_of(self.source), self.delivered.ahead)
        named = typed.with_columns(batch.rows["location"]).filter(reasons.is_null())
        ran = named.filter(pl.col("started_at").is_not_null())
        identified = ran if "run_id" in batch.present else ran.with_columns(self._names(ran))
        keyed = identified.with_columns(
            pl.lit(self.delivered.sha256).alias("file_sha256"),
            pl.lit(self.source.name).alias("source"),
            pl.col("run_id").alias("run_key"),
            pl.lit(value=False).alias("is_job"),
            pl.col("hosts").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.when(pl.col("final_loss").is_not_null()).then(pl.lit("final_loss")).alias("loss_name"),
        )
        self.runs.append(RunRows.frame(keyed))
        self.refused += [batch.refused, refusals(batch.rows, reasons, faults)]
        self.rows += batch.rows.height + batch.refused.height + batch.blank
        self.blank += batch.blank
        self.flags |= {"no_identity"} - ({"no_identity"} if "run_id" in batch.present else set())
        self.flags |= assumptions(self.source, *(batch.rows[name] for name in TIMES if name in batch.present))

    def _names(self, runs: pl.DataFrame) -> pl.Series:
        """Rows without id are never merged: the digest of what a row says and of its file, and which of its equals."""
        digests = row_digests(runs.drop("run_id", "location").with_columns(pl.col("hosts").list.join(";")))
        names = []
        for row in digests:
            self.seen[row] += 1
            names.append(f"{row[:_DIGITS]}-{self.digest}-{self.seen[row]}")
        return pl.Series("run_id", names, dtype=pl.String)
