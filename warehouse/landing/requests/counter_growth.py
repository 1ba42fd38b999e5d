"""What counters of serving processes grew by between two scrapes, as requests of an hour.

Growth is taken per series, never of sums. Where the process says when it began, all scrapes of one beginning are one
counter, which never falls: a sample below an earlier one is left out. Where it does not, a counter that falls began
again at zero, unless it comes back to where it was within the next scrapes: then the sample between was another
server's, under the same name, and is left out. The first sample of a counter tells of no growth, except where the
process is known to have begun after the source was scraped first. So what is counted is never above what was served:
it lacks what a process served between its last scrape and its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests import landed_digests
from warehouse.landing.requests.histogram_percentiles import with_percentiles
from warehouse.landing.requests.landed_parquet import LandedFile, landed_path, write_landed
from warehouse.schemas.findings import Finding
from warehouse.schemas.landed import Requests
from warehouse.schemas.raw import CounterSamples

SCRAPES_AROUND: Final = 3
"""A counter that falls and is back within so many scrapes did not begin again."""

FAR_APART: Final = "INTERVAL 2 HOURS"

_SERIES: Final = "PARTITION BY source, target, series"
_CHAIN: Final = f"{_SERIES}, begun_at"
_ORDER: Final = "ORDER BY scraped_at, value"
_SO_FAR: Final = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
_BEFORE: Final = f"ROWS BETWEEN {SCRAPES_AROUND} PRECEDING AND 1 PRECEDING"
_AFTER: Final = f"ROWS BETWEEN 1 FOLLOWING AND {SCRAPES_AROUND} FOLLOWING"

_GROWTH: Final = f"""
    CREATE OR REPLACE TEMP TABLE counter_growth AS
    WITH scraped AS (
        SELECT * EXCLUDE begun_at, coalesce(
            begun_at,
            last_value(begun_at IGNORE NULLS) OVER ({_SERIES} {_ORDER} {_SO_FAR}),
            CASE WHEN next_begun_at <= scraped_at THEN next_begun_at END
        ) AS begun_at
        FROM (
            SELECT *, first_value(begun_at IGNORE NULLS)
                OVER ({_SERIES} {_ORDER} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_begun_at
            FROM (SELECT DISTINCT * EXCLUDE (file_sha256, location) FROM {CounterSamples.qualified()})
        )
    ), around AS (
        SELECT *,
            max(value) OVER ({_CHAIN} {_ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest,
            max(value) OVER ({_CHAIN} {_ORDER} {_BEFORE}) AS highest_before,
            max(value) OVER ({_CHAIN} {_ORDER} {_AFTER}) AS highest_after
        FROM scraped
    ), marked AS (
        SELECT *, coalesce(CASE WHEN begun_at IS NOT NULL THEN value < highest
            ELSE value < highest_before AND highest_after >= highest_before END, false) AS is_strange
        FROM around
    ), stepped AS (
        SELECT *, lag(scraped_at) OVER ({_CHAIN}, is_strange {_ORDER}) AS earlier_at,
            lag(value) OVER ({_CHAIN}, is_strange {_ORDER}) AS earlier,
            lag(scraped_at) OVER ({_SERIES} {_ORDER}) IS NOT NULL AS is_known
        FROM marked
    )
    SELECT source, target, series, counter, bound_us, status, model, deployment, team, tenant, task,
        scraped_at AS until, is_strange,
        CASE WHEN is_strange THEN NULL WHEN earlier_at IS NOT NULL THEN earlier_at
            WHEN begun_at >= (SELECT min(scraped_at) FROM scraped WHERE scraped.source = stepped.source) THEN begun_at
        END AS since,
        CASE WHEN earlier IS NULL OR value < earlier THEN value ELSE value - earlier END AS growth,
        NOT is_strange AND is_known AND coalesce(value < earlier, true) AS is_restart
    FROM stepped
"""

_SENT: Final = "source, model, deployment, team, tenant, task"
_DIMENSIONS: Final = f"target, {_SENT}"
_LENGTH: Final = "greatest(epoch_us(until) - epoch_us(since), 1)::HUGEINT"
_PARTS: Final = f"""
    parts AS (
        SELECT {_DIMENSIONS}, counter, bound_us, status, hour, greatest(hour, since) AS start_at,
            (growth::HUGEINT * least(greatest(epoch_us(hour) + 3600000000 - epoch_us(since), 1), {_LENGTH})
                // {_LENGTH} - growth::HUGEINT * greatest(epoch_us(hour) - epoch_us(since), 0) // {_LENGTH}
            )::BIGINT AS part
        FROM (
            SELECT *, unnest(generate_series(date_trunc('hour', since),
                date_trunc('hour', greatest(since, until - INTERVAL 1 MICROSECOND)), INTERVAL 1 HOUR)) AS hour
            FROM counter_growth WHERE (growth > 0 OR counter = 'requests_within') AND since IS NOT NULL
        )
    )
"""
_HOURS: Final = f"""
    WITH {_PARTS}, hours AS (
        SELECT {_DIMENSIONS}, hour, min(start_at) AS start_at, status,
            coalesce(sum(part) FILTER (counter = 'requests'), 0)::BIGINT AS requests,
            coalesce(sum(part) FILTER (counter = 'input_tokens'), 0)::BIGINT AS input_tokens,
            coalesce(sum(part) FILTER (counter = 'cached_input_tokens'), 0)::BIGINT AS cached,
            coalesce(sum(part) FILTER (counter = 'output_tokens'), 0)::BIGINT AS output_tokens,
            coalesce(sum(part) FILTER (counter = 'duration_us'), 0)::BIGINT AS duration_us,
            sum(part) FILTER (counter = 'ttft_us')::BIGINT AS ttft_us
        FROM parts GROUP BY {_DIMENSIONS}, hour, status
    )
    SELECT *, least(cached, input_tokens) AS cached_input_tokens FROM hours
    WHERE requests + input_tokens + output_tokens + duration_us > 0 ORDER BY ALL
"""

_BUCKETS: Final = f"""
    WITH {_PARTS}
    SELECT {_SENT}, hour, 'ok' AS status, bound_us, sum(part)::BIGINT AS requests
    FROM parts WHERE counter = 'requests_within' GROUP BY ALL
"""

_NOTICED: Final = f"""
    SELECT source, kind, count(DISTINCT CASE WHEN kind = 'counter_of_another_server' THEN (target, series, until)
            ELSE (target, '', until) END) AS "rows",
        sum(CASE WHEN counter IN ('input_tokens', 'output_tokens') THEN growth END) AS tokens,
        min(day) AS day_from, max(day) AS day_to
    FROM (
        SELECT *, until::DATE AS day, unnest([
            CASE WHEN is_strange THEN 'counter_of_another_server' END,
            CASE WHEN is_restart THEN 'counter_restarted' END,
            CASE WHEN until - since > {FAR_APART} AND growth > 0 THEN 'scrapes_far_apart' END
        ]) AS kind
        FROM counter_growth WHERE until::DATE <= $night
    )
    WHERE kind IS NOT NULL GROUP BY source, kind, date_trunc('month', day) ORDER BY ALL
"""


@dataclass(frozen=True)
class Growth:
    """What the counters of a night grew by: a landed file a source and day, what was noticed, and who told nothing."""

    files: tuple[LandedFile, ...]
    noticed: tuple[tuple[str, Finding], ...]
    without_growth: tuple[str, ...]


def land_growth(connection: duckdb.DuckDBPyConnection, var: Path, night: date) -> Growth:
    """Land what counters grew by, one file a source and day; a day that is as it was is not written again."""
    connection.execute(_GROWTH)
    hours = with_percentiles(connection.sql(_HOURS).pl(), connection.sql(_BUCKETS).pl())
    growth = Requests.frame(_requests(hours))
    folder = var / "landed" / "requests"
    days = [*growth.partition_by("source", "day", as_dict=True, maintain_order=True).items()]
    named = {(source, day): _named(folder, source, day, rows) for (source, day), rows in days}
    landed_digests.untrusted(connection, named.values())
    standing = landed_digests.recorded(connection)
    for key, rows in days:
        path = named[key]
        if path.name not in standing:
            landed_digests.record(connection, write_landed(path, rows))
    _remember(connection, named)
    noticed = tuple(_noticed(connection, night))
    sources = [source for (source,) in connection.sql("SELECT DISTINCT source FROM counter_growth").fetchall()]
    silent = sorted(set(sources) - set(growth["source"]))
    connection.execute("DROP TABLE counter_growth")
    return Growth(tuple(growth_files(connection, var)), noticed, tuple(silent))


def growth_files(connection: duckdb.DuckDBPyConnection, var: Path) -> Sequence[LandedFile]:
    """Where the growth of counters is landed, by source and day."""
    folder = var / "landed" / "requests"
    _lay_out(connection)
    rows = connection.execute("SELECT source, day, landed FROM meta.counter_days ORDER BY source, day").fetchall()
    return [LandedFile(f"{source}:{day.isoformat()}", folder / landed) for source, day, landed in rows]


def _lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute("CREATE TABLE IF NOT EXISTS meta.counter_days (source VARCHAR, day DATE, landed VARCHAR)")


def _remember(connection: duckdb.DuckDBPyConnection, named: dict[tuple[str, date], Path]) -> None:
    _lay_out(connection)
    connection.execute("DELETE FROM meta.counter_days")
    for (source, day), path in named.items():
        connection.execute("INSERT INTO meta.counter_days VALUES (?, ?, ?)", [source, day, path.name])


def _requests(hours: pl.DataFrame) -> pl.DataFrame:
    return hours.with_columns(
        pl.col("start_at").dt.date().alias("day"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("source", pl.col("start_at").dt.date()).alias("position"),
        pl.lit(value=False).alias("is_cache_open"),
        pl.lit(value=True).alias("has_usage"),
        pl.lit(value=True).alias("is_growth"),
    )


def _named(folder: Path, source: str, day: date, rows: pl.DataFrame) -> Path:
    digest = hashlib.sha256(rows.write_csv().encode()).hexdigest()
    return landed_path(folder, source, digest, day.isoformat())


def _noticed(connection: duckdb.DuckDBPyConnection, night: date) -> Iterator[tuple[str, Finding]]:
    for source, kind, rows, tokens, first, last in connection.execute(_NOTICED, {"night": night}).fetchall():
        spread = None if tokens is None or kind != "scrapes_far_apart" else float(tokens)
        yield source, Finding(kind, source, rows=rows, tokens=spread, day_from=first, day_to=last)
