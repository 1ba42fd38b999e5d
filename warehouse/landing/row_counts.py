"""The row account of every file, once all files of the night are known: raw.files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl

from warehouse.landing import file_cache
from warehouse.landing.arrivals import Inbox
from warehouse.landing.current_bills import CurrentBills
from warehouse.landing.first_seen import Nights
from warehouse.landing.inbox import CONTROL
from warehouse.landing.requests.uncounted import Marked
from warehouse.schemas.raw import Files, Quarantine
from warehouse.tables import replace

Readings = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Refusals:
    """How many rows of a source were refused, of how many that could have counted, and the file with most of them."""

    source: str
    refused: int
    countable: int
    worst_file: str


def account(
    connection: duckdb.DuckDBPyConnection,
    inbox: Inbox,
    nights: Nights,
    marked: Marked,
    bills: CurrentBills,
) -> tuple[Refusals, ...]:
    """Write raw.files and the rejected files; `marked` says which requests count.

    Returns:
        What each source refused.
    """
    read = {
        (row["source"], row["file_sha256"]): row for row in file_cache.cached_files(connection).iter_rows(named=True)
    }
    for key, content in inbox.contents.items():
        if key in read:
            _settle_requests(read[key], marked, f"{content.source.name}:{content.file}")
    rows = [
        _file(inbox, key, read, bills) | {"first_seen_at": nights.first_seen(*key, _content_key(inbox, key)[1])}
        for key in _listed(inbox)
    ]
    files = pl.DataFrame(rows, schema=Files.polars_schema())
    replace(connection, Files, files)
    _settle_quarantine(connection, inbox)
    return tuple(_refusals(files))


def _settle_requests(read: dict[str, Any], marked: Marked, file: str) -> None:
    """How many rows of a content repeat a request elsewhere, and how many are requests."""
    read["copied"] += marked.duplicates.get(file, 0)
    if file in marked.counted:
        read["counted"] = marked.counted[file] + read["copied"]


def _listed(inbox: Inbox) -> list[tuple[str, str]]:
    """Every file that a pattern matches, also one that could not be opened; control files are no data."""
    unreadable = {(rejection.source, rejection.file) for rejection in inbox.rejections}
    return sorted(key for key in inbox.files.keys() | unreadable if not key[1].endswith(CONTROL))


def _content_key(inbox: Inbox, key: tuple[str, str]) -> tuple[str, str]:
    source_file = inbox.files.get(key)
    sha256 = source_file.sha256 if source_file else ""
    return inbox.owners.get((key[0], sha256), key[0]), sha256


def _file(inbox: Inbox, key: tuple[str, str], read: Readings, bills: CurrentBills) -> dict[str, Any]:
    source, file = key
    source_file, content_key = inbox.files.get(key), _content_key(inbox, key)
    rejected = any((rejection.source, rejection.file) == key for rejection in inbox.rejections)
    counts = None if rejected else read.get(content_key)
    is_first = content_key[0] == source and content_key in inbox.contents and inbox.contents[content_key].file == file
    identity = {
        "source": source,
        "file": file,
        "kind": inbox.kinds[source],
        "sha256": content_key[1],
        "bytes": source_file.bytes if source_file else 0,
        "reader_digest": inbox.contents[content_key].reader_digest if content_key in inbox.contents else "",
        "changed_ns": source_file.changed_ns if source_file else 0,
        "exported_at": bills.exported.get(content_key),
        "superseded_by": bills.superseded.get(content_key),
    }
    if counts is None:
        return identity | _NOTHING
    return identity | (_counted(counts) if is_first else _repeated(counts))


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("rows", "accepted", "counted", "quarantined", "duplicates", "blank", "foreign_lines"), 0),
    "rounding_residual": Decimal(0),
    "flags": [],
}


def _counted(read: Mapping[str, Any]) -> dict[str, Any]:
    duplicates = read["repeated"] + read["copied"]
    accepted = read["rows"] - read["refused"] - duplicates - read["blank"]
    return {
        "rows": read["rows"],
        "accepted": accepted,
        "counted": min(accepted, max(read["counted"] - read["copied"], 0)),
        "quarantined": read["refused"],
        "duplicates": duplicates,
        "blank": read["blank"],
        **{name: read[name] for name in ("foreign_lines", "rounding_residual", "flags")},
    }


def _repeated(read: Mapping[str, Any]) -> dict[str, Any]:
    """The same bytes under another path: every row of it is a duplicate."""
    return {**_NOTHING, "rows": read["rows"], "duplicates": read["rows"]}


def _settle_quarantine(connection: duckdb.DuckDBPyConnection, inbox: Inbox) -> None:
    """Rejected files are in quarantine as a whole; refused rows are listed under the path their content has now."""
    table = Quarantine.qualified()
    connection.execute(f"DELETE FROM {table} WHERE location = 'file' AND raw = '' AND detail LIKE 'rejected: %'")
    rows = [
        {
            "source": rejection.source,
            "file": rejection.file,
            "file_sha256": _content_key(inbox, (rejection.source, rejection.file))[1],
            "location": "file",
            "reason": rejection.reason,
            "raw": "",
            "detail": f"rejected: {rejection.detail}",
        }
        for rejection in inbox.rejections
    ]
    file_cache.insert(connection, Quarantine, Quarantine.frame(pl.DataFrame(rows)) if rows else Quarantine.empty())
    for source, sha256, file in connection.execute(
        f"SELECT DISTINCT source, file_sha256, file FROM {table}"
    ).fetchall():
        content = inbox.contents.get((source, sha256))
        if content is not None and content.file != file:
            connection.execute(
                f"UPDATE {table} SET file = ? WHERE source = ? AND file_sha256 = ? AND file = ?",
                [content.file, source, sha256, file],
            )


def _refusals(files: pl.DataFrame) -> Iterator[Refusals]:
    worst = files.sort("quarantined", "file", descending=[True, False])
    sums = worst.group_by("source").agg(
        pl.col("rows", "quarantined", "blank", "duplicates").sum(), pl.col("file").first()
    )
    for row in sums.sort("source").iter_rows(named=True):
        countable = row["rows"] - row["blank"] - row["duplicates"]
        yield Refusals(row["source"], row["quarantined"], countable, row["file"])
