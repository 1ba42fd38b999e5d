"""Rows that repeat a request: equal identities whose times overlap; at other times they are different requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests.doubts import DOUBTS, typed_doubts
from warehouse.landing.requests.identities import Candidates, Identity
from warehouse.landing.requests.landed_parquet import LandedFile

_REQUEST: Final = Identity(("source", "request_id"), "request_id IS NOT NULL")

_CANDIDATES: Final = """
    CREATE OR REPLACE TEMP TABLE candidates AS
    SELECT delivery, position, day, source, request_id, start_at, requests,
           greatest(coalesce(end_at, start_at), start_at) AS stop,
           coalesce(output_tokens, 0) AS output_tokens, coalesce(input_tokens, 0) AS input_tokens
    FROM candidate_rows WHERE request_id IS NOT NULL
"""

# One sort of each identity by start: a row begins another request where every earlier row has ended before it starts.
_REQUESTS: Final = """
    CREATE OR REPLACE TEMP TABLE repeats AS
    WITH reached AS (
        SELECT *, max(stop) OVER earlier AS reached, lag(start_at) OVER in_time AS before
        FROM candidates
        WINDOW in_time AS (PARTITION BY source, request_id ORDER BY start_at, stop, delivery, position),
               earlier AS (in_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), parted AS (
        SELECT *, sum((reached IS NULL OR (start_at > before AND (start_at > reached
                OR (start_at = reached AND stop > start_at))))::INT)
            OVER (PARTITION BY source, request_id ORDER BY start_at, stop, delivery, position) AS occurrence
        FROM reached
    )
    SELECT *, row_number() OVER request AS rank,
           first_value(start_at) OVER request AS kept_start, first_value(stop) OVER request AS kept_stop,
           first_value(input_tokens) OVER request AS kept_input, first_value(output_tokens) OVER request AS kept_output
    FROM parted
    WINDOW request AS (PARTITION BY source, request_id, occurrence
        ORDER BY stop DESC, output_tokens DESC, input_tokens DESC, delivery, position)
"""

_COPIES: Final = """
    INSERT INTO meta.uncounted_requests
    SELECT landed, position, day, 'copy', requests > 0 FROM repeats JOIN landed_files USING (delivery) WHERE rank > 1
"""


_DOUBTS: Final = """
    SELECT source, delivery, CASE WHEN is_copy THEN 'copies_differ' ELSE 'ids_repeat' END AS kind,
           source AS subject, count(*) AS "rows",
           sum(input_tokens + output_tokens)::BIGINT AS tokens, min(day) AS day_from, max(day) AS day_to
    FROM (
        SELECT *, rank > 1 AS is_copy FROM repeats
        WHERE requests > 0 AND CASE
            WHEN rank = 1 THEN occurrence > 1
            WHEN start_at = kept_start THEN false
            ELSE (input_tokens, output_tokens) <> (kept_input, kept_output) OR stop <= kept_start
                OR start_at >= kept_stop
        END
    )
    GROUP BY source, delivery, is_copy, date_trunc('month', day)
"""


def mark_copies(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], candidates: Candidates
) -> pl.DataFrame:
    """Mark all but one of the rows that tell one request, and say where equal ids are no copies; within landed_rows.

    Of the rows of one request the latest end (else start) counts, then most output, then most input tokens, then the
    first delivered. Only candidates are ranked. A row left out that starts at another moment and tells of other usage
    may be a request of its own: that is a doubt; ids that come again at another time are requests of their own: that
    is a notice.
    """
    with candidates(connection, files, _REQUEST) as is_any:
        if not is_any:
            return pl.DataFrame(schema=DOUBTS)
        connection.execute(_CANDIDATES)
    for statement in (_REQUESTS, _COPIES):
        connection.execute(statement)
    doubts = connection.sql(_DOUBTS).pl()
    connection.execute("DROP TABLE candidates; DROP TABLE repeats")
    return typed_doubts(doubts)
