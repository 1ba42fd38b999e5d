"""One call that a gateway logs under two ids: it translated the call, and logged it as it came and as it went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.requests.doubts import DOUBTS, typed_doubts
from warehouse.landing.requests.landed_parquet import LandedFile, registered, repeated_hashes, row_count, scan

_CALL: Final = "hash(source, team, model, start_at, input_tokens, output_tokens)"
_LOGGED: Final = "call_type IS NOT NULL AND requests > 0 AND coalesce(input_tokens, 0) + coalesce(output_tokens, 0) > 0"
_BRIDGED: Final = f"""
    SELECT source, max(delivery) AS delivery, 'call_logged_twice' AS kind, coalesce(model, source) AS subject,
           count(*) - 1 AS "rows",
           ((count(*) - 1) * any_value(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)))::BIGINT AS tokens,
           min(day) AS day_from, max(day) AS day_to
    FROM landed_requests SEMI JOIN logged_again ON {_CALL} = logged_again.hash
    ANTI JOIN (SELECT delivery, position FROM meta.uncounted_requests JOIN landed_files USING (landed))
        USING (delivery, position)
    WHERE {_LOGGED}
    GROUP BY source, team, model, start_at, input_tokens, output_tokens
    HAVING count(DISTINCT call_type) > 1 AND count(DISTINCT request_id) > 1
"""


def bridged(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> pl.DataFrame:
    """Calls of equal team, model, start and tokens that stand under two ids and two kinds of call; in landed_rows."""
    hashes = scan(connection, files).filter(_LOGGED).project(f"{_CALL} AS hash")
    repeated = repeated_hashes(hashes, row_count(files))
    if repeated.is_empty():
        return pl.DataFrame(schema=DOUBTS)
    with registered(connection, logged_again=repeated.to_frame()):
        return typed_doubts(connection.sql(_BRIDGED).pl())
