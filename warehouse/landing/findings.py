"""What landing notices and cannot decide, as rows of raw.landed_findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Final

import duckdb
import polars as pl

from warehouse.landing.arrivals import Inbox
from warehouse.landing.file_cache import insert
from warehouse.schemas.findings import Finding
from warehouse.schemas.raw import Files, LandedFindings
from warehouse.sources.source import Source

_EMPTY: Final = f"""
    SELECT source, count(*) FROM {Files.qualified()} GROUP BY source HAVING sum("rows") = 0
"""

Noticed = Iterable[tuple[str, Finding]]
"""Findings with the source that each is about; no source where it is about all of them."""


def note(connection: duckdb.DuckDBPyConnection, noticed: Noticed) -> None:
    """Replace what the comparison of files noticed in the night before by what it notices now."""
    connection.execute(f"DELETE FROM {LandedFindings.qualified()} WHERE file_sha256 = ''")
    rows = [{"source": source, "file_sha256": "", **asdict(finding)} for source, finding in noticed]
    insert(connection, LandedFindings, pl.DataFrame(rows, schema=LandedFindings.polars_schema()))


def settle_paths(connection: duckdb.DuckDBPyConnection, inbox: Inbox) -> None:
    """List the findings of readers under the path that their content has now."""
    table = LandedFindings.qualified()
    listed = connection.execute(f"SELECT DISTINCT source, file_sha256, file FROM {table} WHERE file_sha256 <> ''")
    for source, sha256, file in listed.fetchall():
        content = inbox.contents.get((source, sha256))
        if content is not None and content.file != file:
            connection.execute(
                f"UPDATE {table} SET file = ? WHERE source = ? AND file_sha256 = ?", [content.file, source, sha256]
            )


def absent_sources(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], inbox: Inbox
) -> Iterator[tuple[str, Finding]]:
    """Sources of which nothing has come, or nothing that their format knows: the night counts none of it."""
    rejected = {rejection.source for rejection in inbox.rejections}
    empty = {source: files for source, files in connection.execute(_EMPTY).fetchall() if source not in rejected}
    present = {source for source, _ in inbox.files}
    for source in sources:
        if source.name not in present:
            yield source.name, Finding("source_without_files", source.files)
        elif source.name in empty:
            yield source.name, Finding("source_without_rows", source.files, rows=empty[source.name])
    if not any(source.kind == "gpu_billing" and source.name in present for source in sources):
        yield "", Finding("no_bill", "bills")
