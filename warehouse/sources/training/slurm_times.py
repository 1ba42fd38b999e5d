"""Local times of jobs that the end of summer time makes ambiguous: their other end and how long they took decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from warehouse.sources.casts.casts import Cast, null_if
from warehouse.sources.casts.timestamps import Clock, instants
from warehouse.sources.training.slurm_jobs import elapsed

AMBIGUOUS = "ambiguous_time"


def job_times(cells: pl.DataFrame, clock: Clock) -> tuple[Cast, Cast]:
    """Start and end of each job.

    Of the two moments that an ambiguous local time may be, the one is taken for which end − start is the elapsed time;
    where none or both are, the time stays ambiguous.

    Args:
        cells: `started_at, ended_at, elapsed, elapsed_raw` as written.
        clock: the zone of times without an offset.
    """
    starts, ends = (instants(cells[name], clock) for name in ("started_at", "ended_at"))
    is_open = (starts.reasons == AMBIGUOUS).fill_null(value=False) | (ends.reasons == AMBIGUOUS).fill_null(value=False)
    if not is_open.any():
        return starts, ends
    texts = cells.select(
        null_if(cells[name]).alias(name) for name in ("started_at", "ended_at", "elapsed", "elapsed_raw")
    )
    decided = {row: _only(_pairs(texts.row(row), clock.zone)) for row in is_open.arg_true()}
    return _settled(starts, decided, 0), _settled(ends, decided, 1)


def _settled(cast: Cast, pairs: dict[int, tuple[datetime, datetime] | None], side: int) -> Cast:
    decided = [(row, pair[side]) for row, pair in pairs.items() if pair is not None]
    rows = pl.DataFrame(decided, schema={"row": pl.UInt32(), "moment": cast.values.dtype}, orient="row")
    joined = (
        pl.DataFrame({"value": cast.values, "reason": cast.reasons})
        .with_row_index("row")
        .join(rows, on="row", how="left", maintain_order="left")
    )
    is_decided = pl.col("moment").is_not_null()
    reason = pl.when(~is_decided | (pl.col("reason") != AMBIGUOUS)).then("reason")
    return Cast(
        joined.select(pl.coalesce("moment", "value").alias("instant"))["instant"],
        joined.select(reason.alias("reason"))["reason"],
    )


def _only(pairs: Iterator[tuple[datetime, datetime]]) -> tuple[datetime, datetime] | None:
    distinct = set(pairs)
    return distinct.pop() if len(distinct) == 1 else None


def _pairs(cells: tuple[str | None, ...], zone: str) -> Iterator[tuple[datetime, datetime]]:
    """The moments that the two times may be, with the elapsed time between them."""
    start, end, took, seconds = cells
    try:
        length = elapsed(took, seconds)
        written = [datetime.fromisoformat(text) for text in (start, end) if text is not None]
    except ValueError:
        return
    if length is None or len(written) < len((start, end)):
        return
    for begun in _moments(written[0], zone):
        for ended in _moments(written[1], zone):
            if ended - begun == length:
                yield begun, ended


def _moments(written: datetime, zone: str) -> set[datetime]:
    """A time with an offset, or the moments, none to two, at which the clocks of the zone showed it."""
    if written.tzinfo is not None:
        return {written.astimezone(UTC)}
    local = ZoneInfo(zone)
    moments = {written.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return {moment for moment in moments if moment.astimezone(local).replace(tzinfo=None) == written}
