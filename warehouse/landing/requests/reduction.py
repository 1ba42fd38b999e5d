"""Requests become hours: any number of them, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Protocol

import duckdb
import narwhals as nw
import polars as pl

from warehouse.landing.requests.landed_parquet import LandedFile, landed_rows
from warehouse.schemas.raw import RequestHours

ROWS_PER_PASS: Final = 1 << 25
"""Rows reduced at once: exact percentiles hold every duration, 2^25 of them take some 600 MB."""

_HOURS: Final = 24


class Definition(Protocol):
    """The reduction as it is written once, whatever engine runs it; transforms.staging.request_hours is one."""

    @property
    def KEYS(self) -> Sequence[str]:  # noqa: N802 - constants of a module
        """The dimensions of an hour."""

    @property
    def SUMS(self) -> Mapping[str, str]:  # noqa: N802
        """Sum -> column."""

    @property
    def PERCENTILES(self) -> Mapping[str, int]:  # noqa: N802
        """Percentile -> percent."""

    @property
    def HISTOGRAMS(self) -> Mapping[str, str]:  # noqa: N802
        """Percentile -> column that tells of it, where no rows of single requests do."""

    def in_parts(self, requests: nw.LazyFrame[Any], boundaries: Sequence[datetime]) -> nw.LazyFrame[Any]:
        """Rows with their hour, their part of it, and what is summed."""

    def measured(self, sums: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Sums in the units of raw.request_hours."""

    def reduced(self, requests: nw.LazyFrame[Any], boundaries: Sequence[datetime]) -> nw.LazyFrame[Any]:
        """The whole reduction on whatever engine the frame belongs to."""


class Pass(NamedTuple):
    """Days that are reduced together; a day too large for one pass is cut by the hour into `of` passes."""

    days: tuple[date, ...]
    of: int = 1
    turn: int = 0

    def condition(self) -> str:
        """The rows of this pass, in SQL."""
        days = ", ".join(f"DATE '{day.isoformat()}'" for day in self.days)
        return f"day IN ({days}) AND extract('hour' FROM start_at) % {self.of} = {self.turn}"


def passes(rows_by_day: Mapping[date, int], rows_per_pass: int) -> Iterator[Pass]:
    """The days in passes of bounded size, earliest first."""
    together: list[date] = []
    rows = 0
    for day in sorted(rows_by_day):
        if together and rows + rows_by_day[day] > rows_per_pass:
            yield from _cut(tuple(together), rows, rows_per_pass)
            together, rows = [], 0
        together, rows = [*together, day], rows + rows_by_day[day]
    yield from _cut(tuple(together), rows, rows_per_pass)


def _cut(days: tuple[date, ...], rows: int, rows_per_pass: int) -> Iterator[Pass]:
    of = min(_HOURS, max(1, -(-rows // rows_per_pass)))
    yield from (Pass(days, of, turn) for turn in range(of) if days)


def reduce_on_duckdb(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    definition: Definition,
    boundaries: Sequence[datetime],
    rows_by_day: Mapping[date, int],
    rows_per_pass: int = ROWS_PER_PASS,
) -> pl.DataFrame:
    """The hours of the days, each request once as `mark_uncounted` has found; everything else streams by."""
    with landed_rows(connection, files):
        reduced = [_reduce(connection, definition, boundaries, each) for each in passes(rows_by_day, rows_per_pass)]
    return pl.concat([RequestHours.empty(), *reduced]).sort(*definition.KEYS, nulls_last=True)


def _reduce(
    connection: duckdb.DuckDBPyConnection, definition: Definition, boundaries: Sequence[datetime], chosen: Pass
) -> pl.DataFrame:
    rows = connection.sql(
        f"""
        SELECT * FROM landed_requests
        ANTI JOIN (SELECT delivery, position FROM meta.uncounted_requests JOIN landed_files USING (landed))
            USING (delivery, position)
        WHERE {chosen.condition()}
        """
    )
    parts = definition.in_parts(nw.from_native(rows), boundaries_within(boundaries, chosen.days)).to_native()
    sums: pl.DataFrame = parts.query("parts", _aggregate(definition)).pl()
    percentiles = [
        pl.coalesce(pl.col("percentiles").list.get(position), definition.HISTOGRAMS[name]).alias(name)
        for position, name in enumerate(definition.PERCENTILES)
    ]
    hours = definition.measured(nw.from_native(sums.with_columns(percentiles).lazy())).to_native().collect()
    return RequestHours.frame(hours)


def boundaries_within(boundaries: Sequence[datetime], days: Sequence[date]) -> list[datetime]:
    """The boundaries that part an hour of the days; one on a full hour parts none."""
    wanted = set(days)
    return sorted({at for at in boundaries if at.date() in wanted and (at.minute or at.second or at.microsecond)})


def _aggregate(definition: Definition) -> str:
    sums = [f"sum({column})::BIGINT AS {name}" for name, column in definition.SUMS.items()]
    sums += [f"max({column}) AS {column}" for column in definition.HISTOGRAMS.values()]
    percents = ", ".join(f"{percent / 100}" for percent in definition.PERCENTILES.values())
    percentiles = f"quantile_disc(each_duration_us, [{percents}]) AS percentiles"
    return (
        f"SELECT {', '.join([*definition.KEYS, *sums, percentiles])} FROM parts GROUP BY {', '.join(definition.KEYS)}"
    )


def reduce_plainly(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    definition: Definition,
    boundaries: Sequence[datetime],
    days: Sequence[date],
) -> pl.DataFrame:
    """The same hours by the definition as it stands, on Polars: for few requests, and to prove the other plan."""
    scans = [
        pl.scan_parquet(landed.path, glob=False).with_columns(pl.lit(delivery, dtype=pl.Int64).alias("delivery"))
        for delivery, landed in enumerate(files)
    ]
    if not scans:
        return RequestHours.empty()
    marks, beside = (nw.from_native(frame.lazy()) for frame in marks_and_proofs(connection, files))
    requests = counting(nw.from_native(pl.concat(scans).filter(pl.col("day").is_in(days))), marks, beside)
    hours: pl.DataFrame = definition.reduced(requests, boundaries_within(boundaries, days)).to_native().collect()
    return RequestHours.frame(hours).sort(*definition.KEYS, nulls_last=True)


def reduce_on_polars(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    definition: Definition,
    boundaries: Sequence[datetime],
    rows_by_day: Mapping[date, int],
) -> pl.DataFrame:
    """The definition as it stands, in place of `reduce_on_duckdb`; memory grows with the requests."""
    return reduce_plainly(connection, files, definition, boundaries, list(rows_by_day))


def marks_and_proofs(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that count nothing, by delivery and position; sources and models with cached tokens beside the input."""
    names = pl.DataFrame({"landed": [file.path.name for file in files], "delivery": range(len(files))})
    marks = connection.sql("SELECT landed, position FROM meta.uncounted_requests").pl()
    beside = connection.sql("SELECT source, model, true AS is_beside FROM meta.cache_beside").pl()
    return marks.join(names, on="landed").select("delivery", "position"), beside


def counting(requests: nw.LazyFrame[Any], marks: nw.LazyFrame[Any], beside: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows that count, with all of their input, as `landed_rows` and the marks have it for the other plan."""
    parts = nw.col("cached_input_tokens").fill_null(0) + nw.col("cache_write_tokens").fill_null(0)
    proofs = beside.rename({"source": "source_proved", "model": "model_proved"})
    return (
        requests.join(marks, on=["delivery", "position"], how="anti")
        .with_columns(nw.col("model").fill_null("").alias("model_or_none"))
        .join(proofs, left_on=["source", "model_or_none"], right_on=["source_proved", "model_proved"], how="left")
        .with_columns(
            nw.when(nw.col("is_cache_open") & ~nw.col("is_beside").is_null())
            .then(nw.col("input_tokens") + parts)
            .otherwise(nw.col("input_tokens"))
            .alias("input_tokens")
        )
    )
