"""Sources and models whose cached tokens stand beside the input: any row with more parts than input proves it."""

from __future__ import annotations

from typing import Final

import duckdb

PARTS: Final = "(coalesce(cached_input_tokens, 0) + coalesce(cache_write_tokens, 0))"
"""Tokens of a landed row that were read from or written to a cache, in SQL."""

IS_PROVED: Final = "(source, coalesce(model, '')) IN (SELECT (source, model) FROM meta.cache_beside)"
"""Whether the source and model of a landed row are proved to have them beside the input, in SQL."""


def lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of proofs where there is none: without a request nothing is proved."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute("CREATE TABLE IF NOT EXISTS meta.cache_beside (source VARCHAR, model VARCHAR)")


def prove(connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation) -> None:
    """Keep in meta.cache_beside what the landed rows prove; a source that states its habit leaves nothing open."""
    exceeding = rows.filter(f"is_cache_open AND {PARTS} > input_tokens")
    proved = exceeding.project("source, coalesce(model, '') AS model")
    proved.distinct().create_view("proved_beside")
    connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
    connection.execute(
        "CREATE OR REPLACE TABLE meta.cache_beside AS SELECT * FROM proved_beside ORDER BY source, model"
    )
    connection.execute("DROP VIEW proved_beside")


def proved(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The models of each source that are proved to have them beside the input, by source."""
    models_by_source: dict[str, list[str]] = {}
    if any_proved(connection):
        query = "SELECT source, model FROM meta.cache_beside ORDER BY ALL"
        for source, model in connection.execute(query).fetchall():
            models_by_source.setdefault(source, []).append(model)
    return models_by_source


def decided(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """What was decided of cached tokens where neither setting nor name does: one row a source, model, month and file.

    Beside the input where a row proves it, else inside, as most writers have them.
    """
    kind = f"CASE WHEN {IS_PROVED} THEN 'cached_beside' ELSE 'cached_inside' END AS kind"
    opened = rows.filter("is_cache_open AND requests > 0").project(
        f"source, delivery, {kind}, coalesce(model, source) AS subject, {PARTS} AS parts, day"
    )
    return opened.aggregate(
        'source, delivery, kind, subject, count(*) AS "rows", sum(parts)::BIGINT AS tokens, '
        "min(day) AS day_from, max(day) AS day_to",
        "source, delivery, kind, subject, date_trunc('month', day)",
    )


def any_proved(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything is proved."""
    lay_out(connection)
    return bool(connection.execute("SELECT count(*) FROM meta.cache_beside").fetchall()[0][0])
