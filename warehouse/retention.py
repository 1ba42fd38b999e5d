"""What is kept no longer: found first, then removed one by one, so that a kill leaves less, never half of anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

import duckdb

from warehouse import outbox, publish
from warehouse.landing.requests import landed_digests
from warehouse.landing.requests.landed_files import landed_names
from warehouse.recovery import DATABASE, STORE

SET_ASIDE_DAYS: Final = 7
Kind = Literal["published nights", "landed files", "set-aside stores", "delivery records"]


@dataclass(frozen=True)
class Outdated:
    """Something that is kept no longer: a file or directory below var/, its size, and what it is one of."""

    kind: Kind
    path: Path
    bytes: int


def outdated(var: Path, connection: duckdb.DuckDBPyConnection, published_months: int, now: datetime) -> list[Outdated]:
    """Everything below var/ that is kept no longer, once the newest published night is out."""
    nights = publish.nights(var / "published")
    oldest = publish.oldest_kept(max(nights), published_months) if nights else date.min
    return [*_outdated(var, connection, oldest, now)]


def _outdated(var: Path, connection: duckdb.DuckDBPyConnection, oldest: date, now: datetime) -> Iterator[Outdated]:
    for path in _old_nights(var / "published", oldest):
        yield Outdated("published nights", path, _size(path))
    named = landed_names(connection)
    for path in sorted((var / "landed" / "requests").glob("*")):
        if path.name not in named:
            yield Outdated("landed files", path, _size(path))
    for path in sorted((*var.glob(f"{DATABASE}.old*"), *var.glob(f"{STORE}.old"))):
        if now.timestamp() - path.stat().st_mtime > timedelta(days=SET_ASIDE_DAYS).total_seconds():
            yield Outdated("set-aside stores", path, _size(path))
    for night in outbox.nights(var / "delivery"):
        if night < oldest:
            path = outbox.record(var / "delivery", night)
            yield Outdated("delivery records", path, _size(path))


def remove(connection: duckdb.DuckDBPyConnection, every: Sequence[Outdated]) -> None:
    """Remove them; a directory is renamed first, so that nothing takes what is left of it for whole."""
    landed_digests.lay_out(connection)
    landed_digests.forget(connection, [one.path.name for one in every if one.kind == "landed files"])
    for one in every:
        if one.kind == "published nights":
            publish.withdraw(one.path)
        elif one.path.is_dir():
            shutil.rmtree(one.path, ignore_errors=True)
        else:
            one.path.unlink(missing_ok=True)


def sentences(every: Sequence[Outdated]) -> list[str]:
    """How many of each kind, and how much room they took."""
    kinds = groupby(sorted(every, key=lambda one: one.kind), key=lambda one: one.kind)
    sums = [(kind, [one.bytes for one in ones]) for kind, ones in kinds]
    return [f"{len(sizes):,} {kind}, {sum(sizes) / 1e6:,.1f} MB" for kind, sizes in sums]


def _old_nights(published: Path, oldest: date) -> Iterator[Path]:
    """Directories of nights before `oldest`, but for the last revision of the first night of each month.

    That one says what a month was closed with, which later nights go on comparing with.
    """
    standing = publish.nights(published)
    closing = {min(nights) for _, nights in groupby(sorted(standing), key=lambda night: night.replace(day=1))}
    for night in sorted(standing):
        if night < oldest:
            for revision in range(1, standing[night] + 1):
                path = publish.directory(published, night, revision)
                if path.is_dir() and not (night in closing and revision == standing[night]):
                    yield path


def _size(path: Path) -> int:
    """Bytes of a file, or of all in a directory that no other directory shares by a hard link."""
    entries = [path] if not path.is_dir() else [one for one in path.rglob("*") if one.is_file()]
    return sum(entry.stat().st_size for entry in entries if entry.stat().st_nlink == 1)
