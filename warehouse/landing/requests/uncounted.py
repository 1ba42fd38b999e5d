"""Landed rows that are no requests of their own, settled over all files, and what stays in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import duckdb
import polars as pl

from warehouse.landing.requests import bridged_calls, cache_proofs, copies, matching_calls
from warehouse.landing.requests.doubts import DOUBTS, of_spans, summed, typed_doubts
from warehouse.landing.requests.identities import Candidates, Identity, candidates_on_duckdb
from warehouse.landing.requests.landed_parquet import LandedFile, landed_rows, registered, scan
from warehouse.landing.requests.traces import resolved
from warehouse.schemas.raw import MatchingCalls

SPANS_PER_PASS: Final = 1 << 21
"""Spans whose traces are looked at at once; they take some 300 MB."""


class Marked(NamedTuple):
    """What each file, by its name, has of requests: rows that another row tells already, and rows that count.

    `doubts` and `matching_calls` are what may count twice within a source and between two.
    """

    duplicates: Mapping[str, int]
    counted: Mapping[str, int]
    doubts: pl.DataFrame
    matching_calls: pl.DataFrame


def mark_uncounted(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    night: date,
    candidates: Candidates = candidates_on_duckdb,
) -> Marked:
    """Find the rows that count nothing and keep them in meta.uncounted_requests; `files` in the order of delivery.

    `candidates` is how the rows are found among which it decides.

    `reason` is `copy` for a repeat of a request, `nested` for a span that tells a request another span tells, and
    `repeats` for a span whose usage is that of spans within it.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute(
        "CREATE OR REPLACE TABLE meta.uncounted_requests "
        "(landed VARCHAR, position BIGINT, day DATE, reason VARCHAR, is_request BOOLEAN)"
    )
    connection.execute("CREATE OR REPLACE TABLE meta.cache_beside (source VARCHAR, model VARCHAR)")
    if not files:
        return Marked({}, {}, pl.DataFrame(schema=DOUBTS), MatchingCalls.empty())
    cache_proofs.prove(connection, scan(connection, files))
    with landed_rows(connection, files):
        doubts = [copies.mark_copies(connection, files, candidates), *_mark_spans(connection, files, candidates)]
        matches = matching_calls.matching(connection, files, candidates)
        doubts += [bridged_calls.bridged(connection, files, candidates), matches.doubts]
        doubts += [typed_doubts(cache_proofs.decided(scan(connection, files)).pl())]
    return Marked(
        _duplicates(connection, files),
        _counted(connection, files),
        summed(pl.concat(doubts), night),
        matches.calls.filter(pl.col("day") <= night),
    )


def _mark_spans(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], candidates: Candidates
) -> Iterator[pl.DataFrame]:
    """Traces in which more than one span tells of usage, or one that is no request does."""
    with candidates(connection, files, _TRACE) as is_any:
        if not is_any:
            return
        connection.execute(_SPANS)
    spans = connection.sql("SELECT count(*) FROM spans_of_traces").fetchall()[0][0]
    passes = max(1, -(-spans // SPANS_PER_PASS))
    for turn in range(passes):
        turn_of = f"hash(source, trace_id) % {passes} = {turn}"
        part = resolved(connection.sql(f"SELECT * FROM spans_of_traces WHERE {turn_of}").pl())
        with registered(connection, uncounted=part.uncounted):
            connection.execute(_UNCOUNTED)
        yield of_spans(part.in_doubt, "nested_calls")
        yield of_spans(part.unused, "usage_not_counted")
    connection.execute("DROP TABLE spans_of_traces")


_TRACE: Final = Identity(
    ("source", "trace_id"), "trace_id IS NOT NULL AND (requests > 0 OR has_usage)", alone="requests = 0"
)
_SPANS: Final = """
    CREATE OR REPLACE TEMP TABLE spans_of_traces AS
    SELECT delivery, position, day, source, trace_id, span_id, parent_span_id, span_role, response_id, model,
           start_at, end_at, input_tokens, cached_input_tokens, cache_write_tokens, is_cache_open, output_tokens,
           requests, has_usage
    FROM candidate_rows
    ANTI JOIN (SELECT delivery, position FROM meta.uncounted_requests JOIN landed_files USING (landed))
        USING (delivery, position)
    WHERE trace_id IS NOT NULL
"""
_UNCOUNTED: Final = """
    INSERT INTO meta.uncounted_requests
    SELECT landed, position, day, reason, is_request FROM uncounted JOIN landed_files USING (delivery)
"""


def _duplicates(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Mapping[str, int]:
    query = "SELECT landed, count(*) FROM meta.uncounted_requests WHERE reason <> 'repeats' GROUP BY landed"
    names = {landed.path.name: landed.file for landed in files}
    return {names[landed]: rows for landed, rows in connection.execute(query).fetchall()}


def _counted(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> Mapping[str, int]:
    """Rows of each file that are requests, an aggregate being one row."""
    requests = scan(connection, files).filter("requests > 0").aggregate("delivery, count(*) AS n", "delivery")
    rows_by_file = {files[delivery]: rows for delivery, rows in requests.fetchall()}
    query = "SELECT landed, count(*) FROM meta.uncounted_requests WHERE is_request GROUP BY landed"
    uncounted = dict(connection.execute(query).fetchall())
    return {landed.file: rows - uncounted.get(landed.path.name, 0) for landed, rows in rows_by_file.items()}
