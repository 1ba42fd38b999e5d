"""Rows that stand in two files of a source count once: which of them stays, whatever came first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.supersession import DeliveredUnit
from warehouse.schemas.raw import ChargeRows, MetricRows, Readings, RunRows
from warehouse.sources.source import Source

# Appended bills: a row counts as often as in the file that holds it most often, whatever came first; within one file
# equal rows are charges.
_CHARGES: Final = f"""
    DELETE FROM {ChargeRows.qualified()} AS copy
    USING (
        SELECT content_hash, arg_max(file_sha256, (times, -position)) AS kept FROM (
            SELECT content_hash, file_sha256, position, count(*) AS times
            FROM {ChargeRows.qualified()} JOIN places USING (source, file_sha256)
            WHERE source = $source AND content_hash IN (
                SELECT content_hash FROM {ChargeRows.qualified()}
                WHERE source = $source AND list_contains($fresh, file_sha256)
            )
            GROUP BY ALL
        ) GROUP BY content_hash HAVING count(*) > 1
    ) AS original
    WHERE copy.source = $source AND copy.content_hash = original.content_hash AND copy.file_sha256 <> original.kept
    RETURNING copy.file_sha256, copy.content_hash
"""

# Bills in parts add up: a charge that stands in the exports of two folders counts in the newest of them.
_PARTS: Final = f"""
    DELETE FROM {ChargeRows.qualified()} AS copy
    USING (
        SELECT dimension_hash, arg_max(folder, position) AS kept
        FROM {ChargeRows.qualified()} JOIN exports USING (file_sha256)
        WHERE source = $source GROUP BY dimension_hash HAVING count(DISTINCT folder) > 1
    ) AS original, exports
    WHERE copy.source = $source AND copy.dimension_hash = original.dimension_hash
        AND copy.file_sha256 = exports.file_sha256 AND exports.folder <> original.kept
    RETURNING copy.file_sha256
"""

# One attempt of a run in two rows: of those with one key, hosts and number of GPUs that lie within each other in time,
# the longest counts, then the one that came farthest, then the first path. Rows that are not within another one are
# attempts of the run; rows on other hosts or of more GPUs tell of other GPUs, and staging says what was held in all.
# One without an end is a copy only of a row that began at the same time. Keys whose logs begin alike are one key; of
# these a row without times says nothing that one with times does not.
_RUNS: Final = f"""
    DELETE FROM {RunRows.qualified()} AS copy
    USING (
        WITH copied AS (
            SELECT run_key, min(first_key) AS first_key FROM (
                SELECT run_key, min(run_key) OVER (PARTITION BY log_key) AS first_key
                FROM {RunRows.qualified()} WHERE source = $source AND log_key IS NOT NULL
            ) GROUP BY run_key
        ), timed AS (
            SELECT run_rows.rowid AS id, coalesce(held_from, started_at) AS begun, coalesce(held_to, ended_at) AS ended,
                hash(coalesce(first_key, run_key), list_sort(list_transform(hosts, lambda host: lower(host))),
                    gpu_count) AS told,
                first_key IS NOT NULL AND count(coalesce(held_from, started_at)) OVER (PARTITION BY first_key) > 0
                    AS is_timed_elsewhere,
                steps, position, location
            FROM {RunRows.qualified()} AS run_rows JOIN places USING (source, file_sha256)
                LEFT JOIN copied USING (run_key)
            WHERE source = $source
        )
        SELECT id, begun, ended, is_timed_elsewhere,
            max(ended) OVER (attempts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_to,
            row_number() OVER (
                PARTITION BY told, begun
                ORDER BY ended DESC NULLS LAST, steps DESC NULLS LAST, position, location, id
            ) AS place
        FROM timed
        WINDOW attempts AS (
            PARTITION BY told
            ORDER BY begun NULLS FIRST, ended DESC NULLS LAST, steps DESC NULLS LAST, position, location, id
        )
    ) AS ranked
    WHERE copy.source = $source AND copy.rowid = ranked.id
        AND (ranked.ended <= ranked.covered_to OR (ranked.begun IS NULL AND ranked.is_timed_elsewhere)
            OR (ranked.place > 1 AND (ranked.begun IS NULL OR ranked.ended IS NULL)))
    RETURNING copy.file_sha256, copy.run_id
"""


def remove_copies(
    connection: duckdb.DuckDBPyConnection, source: Source, contents: Sequence[str], fresh: Sequence[str]
) -> None:
    """Remove copies among `contents` (digests in path order) and count them in their files; `fresh` are newly read."""
    places = pl.DataFrame(
        {"source": source.name, "file_sha256": list(contents), "position": range(len(contents))},
        schema={"source": pl.String(), "file_sha256": pl.String(), "position": pl.Int64()},
    )
    connection.register("places", places.to_arrow())
    if source.kind == "gpu_billing" and source.delivery == "append":
        removed = connection.execute(_CHARGES, {"source": source.name, "fresh": list(fresh)}).fetchall()
        _count(connection, source.name, Counter(sha256 for sha256, _ in removed))
    if source.kind == "training_logs":
        _remove_runs(connection, source.name)
    connection.unregister("places")


def remove_repeated_charges(
    connection: duckdb.DuckDBPyConnection, source: Source, units: Sequence[DeliveredUnit]
) -> None:
    """Remove charges that the exports of two folders hold from all but the newest export, and count them there."""
    newest = sorted(units, key=lambda each: (*each.newest.recency, each.unit.folder))
    folders = {
        sha256: (each.unit.folder, position) for position, each in enumerate(newest) for sha256 in each.newest.contents
    }
    rows = [(sha256, *export) for sha256, export in folders.items()]
    schema = {"file_sha256": pl.String(), "folder": pl.String(), "position": pl.Int64()}
    connection.register("exports", pl.DataFrame(rows, schema=schema, orient="row").to_arrow())
    removed = connection.execute(_PARTS, {"source": source.name}).fetchall()
    connection.unregister("exports")
    _count(connection, source.name, Counter(sha256 for (sha256,) in removed))


def _remove_runs(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    removed = connection.execute(_RUNS, {"source": source}).fetchall()
    for sha256, run_id in dict.fromkeys(removed):
        bound = [source, sha256, run_id]
        connection.execute(
            f"""
            DELETE FROM {MetricRows.qualified()} WHERE source = ? AND file_sha256 = ? AND run_id = ? AND NOT EXISTS (
                FROM {RunRows.qualified()} AS kept WHERE kept.source = ? AND kept.file_sha256 = ? AND kept.run_id = ?
            )
            """,
            [*bound, *bound],
        )
    copied = dict(Counter(sha256 for sha256, _ in removed)) | _whole_logs(connection, source, removed)
    _count(connection, source, copied)


def _whole_logs(
    connection: duckdb.DuckDBPyConnection, source: str, removed: Sequence[tuple[str, str]]
) -> dict[str, int]:
    """A log whose one run stands elsewhere: every accepted record of it is a copy."""
    query = f"""
        SELECT file_sha256, "rows" - refused - blank - repeated FROM {Readings.qualified()}
        WHERE source = $source AND list_contains($logs, file_sha256)
            AND file_sha256 NOT IN (SELECT file_sha256 FROM {RunRows.qualified()} WHERE source = $source)
    """
    return dict(connection.execute(query, {"source": source, "logs": [sha256 for sha256, _ in removed]}).fetchall())


def _count(connection: duckdb.DuckDBPyConnection, source: str, copied: Mapping[str, int]) -> None:
    for sha256, copies in copied.items():
        connection.execute(
            f"UPDATE {Readings.qualified()} SET copied = copied + ? WHERE source = ? AND file_sha256 = ?",
            [copies, source, sha256],
        )
