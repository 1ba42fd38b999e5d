"""Metrics of training runs in any table: one value a row with its name, or one column a metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from warehouse.schemas.raw import MetricRows, RunRows
from warehouse.sources.casts.casts import Cast, first_reason, free_text, key, required
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.number_casts import count, measure
from warehouse.sources.casts.timestamps import clock_of, instants
from warehouse.sources.decode.column_mapping import Layout, source_layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training.run_rows import last_loss, run_rows
from warehouse.sources.training.sidecar import sidecar, with_sidecar

COMMON: Final = ("run_id", "step", "tokens", "at")
_VALUE: Final = ("name", "value")
_LOSS: Final = "loss"
_SUFFIXES: Final = (".gz", ".zst", ".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".txt")
_POSITION: Final = "#"

Melt = Callable[[Batch, pl.DataFrame], pl.DataFrame]


def read_long(delivered: Delivered, source: Source) -> Reading:
    """One value a row, with the name of its metric.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    layout = source_layout(source, (*COMMON, *_VALUE), (("run_id",), ("name",), ("value",)))
    metrics = _Metrics(delivered, source, None)
    for batch in batches(delivered, layout):
        value, name = required(measure(batch.rows["value"]), "bad_decimal"), key(batch.rows["name"])
        metrics.add(batch, {"run_id": key(batch.rows["run_id"]), "value": value, "name": name}, _as_it_is)
    return metrics.reading(())


def read_wide(delivered: Delivered, source: Source) -> Reading:
    """One row a step, one column a metric; the run is named by a column, a constant, a sidecar or else the file.

    Columns that hold no numbers are no metrics and are kept nowhere.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    sidecar_fields = sidecar(delivered, source)
    plain = source_layout(source, (*COMMON, _LOSS), (("step",), (_LOSS,)))
    layout = Layout(plain.names, plain.required, plain.constants, unmapped="kept")
    metrics = _Metrics(delivered, source, str(sidecar_fields.get("run_id", _stem(delivered.file))))
    for batch in batches(delivered, layout):
        metrics.add(batch, {"run_id": free_text(batch.rows["run_id"]), _LOSS: measure(batch.rows[_LOSS])}, _melted)
    return metrics.reading(_run(delivered, source, sidecar_fields, metrics))


def read_history(delivered: Delivered, source: Source, run_id: str) -> Reading:
    """A history exported from a tracker: one row a step, one column a metric, the tracker's own columns apart.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    plain = source_layout(source, COMMON, (("step",),))
    layout = Layout(plain.names, plain.required, plain.constants, unmapped="kept")
    metrics = _Metrics(delivered, source, run_id)
    for batch in batches(delivered, layout):
        metrics.add(batch, {"run_id": free_text(batch.rows["run_id"])}, _melted)
    return metrics.reading(())


@dataclass
class _Metrics:
    """The metrics of one file while it is read; `run_id` names the run where no column does."""

    delivered: Delivered
    source: Source
    run_id: str | None
    rows: int = 0
    blank: int = 0
    metrics: list[pl.DataFrame] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: frozenset[str] = frozenset()

    def add(self, batch: Batch, casts: Mapping[str, Cast], melt: Melt) -> None:
        """Type the rows of a batch, refuse the bad ones, keep each value of the others."""
        typed = {
            "step": count(batch.rows["step"]),
            "tokens": count(batch.rows["tokens"]),
            "at": instants(batch.rows["at"], clock_of(self.source)),
            **casts,
        }
        reasons = first_reason(*(cast.reasons for cast in typed.values()))
        rows = pl.DataFrame([cast.values.alias(name) for name, cast in typed.items()])
        named = rows.with_columns(pl.col("run_id").fill_null(pl.lit(self.run_id)))
        self.metrics.append(
            self._frame(melt(batch, named).filter(pl.col(_POSITION).is_in(reasons.is_null().arg_true())))
        )
        hidden = batch.refused.with_columns(pl.lit("").alias("raw"))
        self.refused += [hidden, refusals(batch.rows, reasons)]
        self.rows += batch.rows.height + batch.refused.height + batch.blank
        self.blank += batch.blank
        self.flags |= assumptions(self.source, batch.rows["at"])

    def _frame(self, values: pl.DataFrame) -> pl.DataFrame:
        return MetricRows.frame(
            values.with_columns(
                pl.lit(self.delivered.sha256).alias("file_sha256"),
                pl.lit(self.source.name).alias("source"),
                pl.col("value").is_finite().fill_null(value=False).alias("is_finite"),
            )
        )

    def reading(self, runs: tuple[Mapping[str, object], ...]) -> Reading:
        """The whole file, with the runs that it tells of."""
        return Reading(
            rows=self.rows,
            frames={
                MetricRows.table_name: pl.concat([MetricRows.empty(), *self.metrics]),
                RunRows.table_name: run_rows(runs),
            },
            refused=pl.concat([Reading(0, {}).refused, *self.refused]),
            blank=self.blank,
            flags=tuple(sorted(self.flags)),
        )


def _as_it_is(_batch: Batch, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_row_index(_POSITION)


def _melted(batch: Batch, rows: pl.DataFrame) -> pl.DataFrame:
    """A row for each number of each column; unmapped columns under their own names."""
    others = [
        measure(cells).values.alias(cells.name)
        for cells in batch.unmapped.iter_columns()
        if not cells.name.startswith("_")
    ]
    wide = rows.with_row_index(_POSITION).with_columns(*others)
    index = [_POSITION, *COMMON]
    names = [name for name in wide.columns if name not in index]
    long = wide.unpivot(names, index=index, variable_name="name", value_name="value")
    return long.filter(pl.col("value").is_not_null())


def _run(
    delivered: Delivered, source: Source, sidecar_fields: Mapping[str, object], course: _Metrics
) -> tuple[Mapping[str, object], ...]:
    """The run of a file of metrics, if a sidecar says when it began; it ends as the sidecar says, else with a value."""
    metrics = pl.concat([MetricRows.empty(), *course.metrics]).sort("step", "at")
    if "started_at" not in sidecar_fields or metrics["run_id"].n_unique() > 1:
        return ()
    name, loss = last_loss(metrics.select("name", "value").iter_rows())
    last = metrics["at"].dt.epoch("us").max()
    run = with_sidecar(
        {
            "file_sha256": delivered.sha256,
            "location": "file",
            "source": source.name,
            "run_id": course.run_id,
            "run_key": course.run_id,
            "steps": metrics["step"].max(),
            "tokens": metrics["tokens"].max(),
            "final_loss": loss,
            "loss_name": name,
        },
        sidecar_fields,
    )
    ended = {
        "ended_at": last if last is not None else sidecar_fields["started_at"],
        "end_source": "last_event",
        "status": "unknown",
    }
    return ({**ended, **run, **({"end_source": "logged"} if "ended_at" in sidecar_fields else {})},)


def _stem(file: str) -> str:
    path = PurePosixPath(file)
    while path.suffix in _SUFFIXES:
        path = path.with_suffix("")
    return str(path)
