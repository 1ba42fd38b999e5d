"""Cells of training runs under their canonical names become typed runs, or reasons why they do not."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.sources.casts.casts import Cast, Judged, cells_at_fault, first_reason, free_text, key, null_if, refused
from warehouse.sources.casts.number_casts import count, is_size, measure, size
from warehouse.sources.casts.timestamps import Clock, end_in_range, in_order, instants, start_in_range
from warehouse.sources.status_words import run_status
from warehouse.sources.training.chips import chip

TIMES: Final = ("started_at", "ended_at", "held_from", "held_to")
NAMES: Final = ("run_name", "project", "cluster", "team", "parent_run_id", "hosts", "gpu_model")
COUNTS: Final = ("tokens", "steps", "gpu_milli", "node_count", "gpus_per_node", "params", "active_params")
SIZES: Final = ("gpu_count", "gpu_seconds", "duration_s")
COLUMNS: Final = ("run_id", "status", "final_loss", *TIMES, *NAMES, *COUNTS, *SIZES)
"""What a run may say of itself."""

_LIST: Final = ' \t[]"'
_MILLI: Final = 1000
_MICRO: Final = 1_000_000
_LONGEST: Final = 1e9
"""Seconds that a run may last, some thirty years: what follows from its start then is a time that can be written."""


def typed_runs(
    cells: pl.DataFrame, present: frozenset[str], clock: Clock, ahead: datetime
) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """Every column of every row typed; why a row is refused, if so, and for which cell.

    Of several reasons the first of the closed list counts.
    """
    casts = {name: _cast(name, cells[name], present, clock) for name in COLUMNS}
    rows = pl.DataFrame([cast.values.alias(name) for name, cast in casts.items()]).with_columns(_gpus())
    lasting = rows.with_columns(_seconds().alias("seconds"))
    filled = lasting.with_columns(_end()).with_columns(*_course())
    judged = [
        *(Judged(name, cast.reasons, cells[name]) for name, cast in casts.items() if name in present),
        Judged("gpu_count", refused(~is_size(filled["gpu_count"]), "bad_count"), cells["gpu_count"]),
        Judged("duration_s", refused(filled["seconds"] > _LONGEST, "bad_count")),
        Judged("started_at", start_in_range(filled["started_at"], ahead), cells["started_at"]),
        Judged("ended_at", end_in_range(filled["ended_at"]), cells["ended_at"]),
        Judged("held_to", end_in_range(filled["held_to"])),
        Judged("ended_at", in_order(filled["started_at"], filled["ended_at"]), cells["ended_at"]),
        Judged("held_to", in_order(filled["held_from"], filled["held_to"])),
    ]
    reasons = first_reason(*(one.reasons for one in judged))
    return filled.drop("seconds"), reasons, cells_at_fault(reasons, judged)


def _cast(name: str, cells: pl.Series, present: frozenset[str], clock: Clock) -> Cast:
    if name not in present:
        return Cast(cells.cast(_DTYPES[name]), cells)
    if name in TIMES:
        return instants(cells, clock)
    if name in _READ:
        return _READ[name](cells)
    text = key(cells) if name == "run_id" else free_text(cells)
    return Cast(_MEANT[name](text.values), text.reasons) if name in _MEANT else text


def _loss(cells: pl.Series) -> Cast:
    """A loss that is no finite number is no loss."""
    measured = measure(cells)
    finite = pl.DataFrame({"loss": measured.values}).select(pl.when(pl.col("loss").is_finite()).then("loss"))
    return Cast(finite.to_series(), measured.reasons)


def _hosts(cells: pl.Series) -> pl.Series:
    """`a;b`, or a JSON list of texts."""
    return pl.Series([_split(text) for text in null_if(cells)], dtype=pl.List(pl.String))


def _split(text: str | None) -> list[str]:
    if text is None:
        return []
    return [host.strip(_LIST) for host in re.split("[;,]" if text.startswith("[") else ";", text) if host.strip(_LIST)]


def _chips(cells: pl.Series) -> pl.Series:
    names = {words: chip(words) for words in cells.drop_nulls().unique()}
    return cells.replace_strict(names, default=None, return_dtype=pl.String)


def _gpus() -> pl.Expr:
    """GPUs as counted, else by the thousandth, else nodes times GPUs of each."""
    nodes = pl.col("node_count").cast(pl.Float64) * pl.col("gpus_per_node")
    return pl.coalesce("gpu_count", pl.col("gpu_milli").cast(pl.Float64) / _MILLI, nodes).alias("gpu_count")


def _seconds() -> pl.Expr:
    """How long a run took, else as long as its GPUs were held."""
    held = pl.when(pl.col("gpu_count") > 0).then(pl.col("gpu_seconds") / pl.col("gpu_count")).otherwise(0.0)
    return pl.coalesce("duration_s", pl.when(pl.col("gpu_seconds").is_not_null()).then(held))


def _end() -> pl.Expr:
    """The end as stated, else the start and how long it took."""
    took = pl.duration(microseconds=(pl.col("seconds").clip(0, _LONGEST) * _MICRO).round().cast(pl.Int64))
    return pl.coalesce("ended_at", pl.col("started_at") + took).alias("ended_at")


def _course() -> list[pl.Expr]:
    """A run without end goes on; one with an end that says nothing of how it ended, or that it runs, is unknown."""
    has_ended = pl.col("ended_at").is_not_null()
    status = pl.when(~has_ended | (pl.col("status") != "running")).then("status")
    return [
        pl.when(has_ended).then(pl.lit("logged")).otherwise(pl.lit("censored")).alias("end_source"),
        pl.coalesce(status, pl.when(has_ended).then(pl.lit("unknown")).otherwise(pl.lit("running"))).alias("status"),
    ]


_READ: Final = {**dict.fromkeys(COUNTS, count), **dict.fromkeys(SIZES, size), "final_loss": _loss}
_MEANT: Final = {"hosts": _hosts, "gpu_model": _chips, "status": run_status}
_DTYPES: Final = {
    **dict.fromkeys(("run_id", "status", *NAMES), pl.String()),
    **dict.fromkeys(TIMES, INSTANT),
    **dict.fromkeys(COUNTS, pl.Int64()),
    **dict.fromkeys(("final_loss", *SIZES), pl.Float64()),
    "hosts": pl.List(pl.String()),
}
