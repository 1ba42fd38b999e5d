"""One call that two records tell of under the same id of its answer: in two sources, or in two traces of one source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import duckdb
import polars as pl

from warehouse.landing.requests.doubts import DOUBTS, typed_doubts
from warehouse.landing.requests.identities import Candidates, Identity
from warehouse.landing.requests.landed_parquet import LandedFile, scan
from warehouse.schemas.raw import MatchingCalls

_ID: Final = "coalesce(response_id, request_id)"
_CALL: Final = Identity((_ID,), f"requests = 1 AND {_ID} IS NOT NULL")
_CALLS: Final = f"""
    CREATE OR REPLACE TEMP TABLE calls AS
    SELECT delivery, source, request_id, {_ID} AS call_id, model, day, start_at,
           greatest(coalesce(end_at, start_at), start_at) AS stop,
           coalesce(input_tokens, 0) AS input_tokens, coalesce(output_tokens, 0) AS output_tokens
    FROM candidate_rows
    ANTI JOIN (SELECT delivery, position FROM meta.uncounted_requests JOIN landed_files USING (landed))
        USING (delivery, position)
    WHERE {_CALL.among}
"""

# One sort of each id by start, as for copies: records that overlap, one after another, are one occurrence of the call.
_OCCURRENCES: Final = """
    CREATE OR REPLACE TEMP TABLE occurrences AS
    SELECT *, sum((reached IS NULL OR start_at > reached)::INT)
        OVER (PARTITION BY call_id ORDER BY start_at, stop, source, request_id) AS occurrence
    FROM (
        SELECT *, max(stop) OVER (PARTITION BY call_id ORDER BY start_at, stop, source, request_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
        FROM calls
    )
"""
_OF_SOURCES: Final = """
    WITH told AS (
        SELECT call_id, occurrence, source, any_value(model) AS model, min(day) AS day, count(*) AS requests,
               sum(input_tokens + output_tokens) AS tokens
        FROM occurrences GROUP BY call_id, occurrence, source
    ), ranked AS (
        SELECT *, first_value(source) OVER of_call AS counterpart, row_number() OVER of_call AS rank
        FROM told WINDOW of_call AS (PARTITION BY call_id, occurrence ORDER BY tokens DESC, source)
    )
    SELECT source, counterpart, model, day, sum(requests)::BIGINT AS requests, sum(tokens)::BIGINT AS tokens
    FROM ranked WHERE rank > 1 GROUP BY source, counterpart, model, day ORDER BY ALL
"""
_OF_ONE_SOURCE: Final = """
    SELECT source, max(delivery) AS delivery, 'call_logged_twice' AS kind,
           coalesce(any_value(model), source) AS subject,
           count(*) - 1 AS "rows", (count(*) - 1) * (input_tokens + output_tokens) AS tokens,
           min(day) AS day_from, max(day) AS day_to
    FROM occurrences WHERE input_tokens + output_tokens > 0
    GROUP BY source, call_id, occurrence, input_tokens, output_tokens HAVING count(DISTINCT request_id) > 1
"""


class Matches(NamedTuple):
    """Calls that two sources tell of, and doubts about calls that one source tells of twice."""

    calls: pl.DataFrame
    doubts: pl.DataFrame


def matching(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], candidates: Candidates) -> Matches:
    """Records of one id at one time that are not known to be one request; within landed_rows, after all marks."""
    rows = scan(connection, files)
    answered = rows.aggregate("count(response_id) > 0 OR count(DISTINCT source) > 1").fetchall()[0][0]
    nothing = Matches(MatchingCalls.empty(), pl.DataFrame(schema=DOUBTS))
    if not answered:
        return nothing
    with candidates(connection, files, _CALL) as is_any:
        if not is_any:
            return nothing
        connection.execute(_CALLS)
    connection.execute(_OCCURRENCES)
    matches = Matches(
        MatchingCalls.frame(connection.sql(_OF_SOURCES).pl()), typed_doubts(connection.sql(_OF_ONE_SOURCE).pl())
    )
    connection.execute("DROP TABLE calls; DROP TABLE occurrences")
    return matches
