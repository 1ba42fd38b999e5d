"""One call that a gateway logs under two ids: it translated the call, and logged it as it came and as it went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests.doubts import DOUBTS, typed_doubts
from warehouse.landing.requests.identities import Candidates, Identity
from warehouse.landing.requests.landed_parquet import LandedFile, scan

_APART: Final = 100_000
"""Microseconds within which a gateway logs both: translating a call takes some milliseconds."""
_MOST: Final = 0.5
"""Of a call that takes longer to translate, the one within it takes at least this part."""

_LOGGED: Final = "call_type IS NOT NULL AND requests > 0 AND coalesce(input_tokens, 0) + coalesce(output_tokens, 0) > 0"
_CALL: Final = Identity(("source", "team", "model", "input_tokens", "output_tokens"), _LOGGED)

# Each record is compared with the one before it: of one call no more than a handful are logged at one time. It is the
# same call where both start at once, or where it lies within the other and takes most of its time.
_BRIDGED: Final = f"""
    WITH logged AS (
        SELECT *, coalesce(input_tokens, 0) + coalesce(output_tokens, 0) AS counted,
               epoch_us(start_at) AS starts, epoch_us(end_at) AS ends,
               epoch_us(lag(start_at) OVER calls) AS started, epoch_us(lag(end_at) OVER calls) AS ended,
               lag(call_type) OVER calls AS type_before,
               lag(request_id) OVER calls AS id_before
        FROM candidate_rows
        ANTI JOIN (SELECT delivery, position FROM meta.uncounted_requests JOIN landed_files USING (landed))
            USING (delivery, position)
        WHERE {_LOGGED}
        WINDOW calls AS (
            PARTITION BY source, team, model, input_tokens, output_tokens ORDER BY start_at, call_type, request_id
        )
    )
    SELECT source, max(delivery) AS delivery, 'call_logged_twice' AS kind, coalesce(model, source) AS subject,
           count(*) AS "rows", sum(counted)::BIGINT AS tokens, min(day) AS day_from, max(day) AS day_to
    FROM logged
    WHERE call_type <> type_before AND request_id <> id_before AND (
        starts - started <= {_APART}
        OR (ends <= ended + {_APART} AND ends - starts >= {_MOST} * (ended - started) AND starts < ended)
    )
    GROUP BY source, model, day
"""


def bridged(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], candidates: Candidates) -> pl.DataFrame:
    """Calls of one team, model, moment and size that stand under two ids and two kinds of call; in landed_rows.

    Where a night knows of one kind only, none is looked for.
    """
    kinds = scan(connection, files).filter(_LOGGED).aggregate("coalesce(min(call_type) <> max(call_type), false)")
    if not kinds.fetchall()[0][0]:
        return pl.DataFrame(schema=DOUBTS)
    with candidates(connection, files, _CALL) as is_any:
        return typed_doubts(connection.sql(_BRIDGED).pl()) if is_any else pl.DataFrame(schema=DOUBTS)
