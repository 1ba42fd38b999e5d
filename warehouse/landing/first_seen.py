"""When each file of the inbox was first seen: as the last night knew it, else as the published nights list it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import duckdb

from warehouse import publish
from warehouse.landing.arrivals import Workspace
from warehouse.schemas.raw import Files

PUBLISHED: Final = "published"


@dataclass(frozen=True)
class Nights:
    """The start of the night that is run, and of the first night that had each file, by source, path and digest."""

    start: datetime
    listed: Mapping[tuple[str, str, str], datetime]

    def first_seen(self, source: str, file: str, sha256: str) -> datetime:
        """The first night that had this content under this path; a night that is made up has it already."""
        return min(self.start, self.listed.get((source, file, sha256), self.start))

    def first_seen_content(self, source: str, sha256: str) -> datetime:
        """The first night that had this content under any path."""
        return min(self.start, self._contents.get((source, sha256), self.start))

    @cached_property
    def _contents(self) -> Mapping[tuple[str, str], datetime]:
        first: dict[tuple[str, str], datetime] = {}
        for (source, _, sha256), at in self.listed.items():
            first[source, sha256] = min(at, first.get((source, sha256), at))
        return first


def nights_before(connection: duckdb.DuckDBPyConnection, workspace: Workspace, start: datetime) -> Nights:
    """What is known of files that an earlier night had.

    A warehouse that was lost is built again from the inbox, which does not say when its files came; the manifests of
    published nights list the files that each had.
    """
    query = f"SELECT source, file, sha256, first_seen_at FROM {Files.qualified()}"
    remembered = {(source, file, sha256): at for source, file, sha256, at in connection.execute(query).fetchall()}
    return Nights(start, remembered or _published(workspace))


def _published(workspace: Workspace) -> dict[tuple[str, str, str], datetime]:
    published = workspace.project / "var" / PUBLISHED
    seen: dict[tuple[str, str, str], datetime] = {}
    for night, revision in sorted(publish.nights(published).items()):
        start = datetime(night.year, night.month, night.day, tzinfo=UTC)
        for entry in publish.manifest(published, night, revision)["inputs"]:
            seen.setdefault((entry["source"], entry["file"], entry["sha256"]), start)
    return seen
