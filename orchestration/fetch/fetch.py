"""One source after the other: what its `[source.remote]` names is brought and moved below inbox/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.fetch import buckets, postgresql
from orchestration.fetch.staged import FetchError, Staging, Version
from orchestration.run_lock import sole_run
from orchestration.settings import Project, SettingsError, SourceSection
from warehouse.sources.registry import FORMATS


@dataclass(frozen=True)
class Fetched:
    """What came of one source: files that are new below inbox/, their bytes, and how many were there already."""

    source: str
    new: int
    bytes: int
    unchanged: int


def remote_sources(project: Project, names: Sequence[str]) -> list[SourceSection]:
    """The sources to fetch: those that are named, else all that have a `[source.remote]`.

    Raises:
        SettingsError: when a name is no source, or its source has no remote.
    """
    section_by_name = {section.name: section for section in project.settings.source}
    for name in names:
        if name not in section_by_name or section_by_name[name].remote is None:
            fault = (
                "has no [source.remote]"
                if name in section_by_name
                else f"is none of {', '.join(section_by_name) or 'no sources'}"
            )
            raise SettingsError(f"source {name!r} {fault}; name one that has an address in trisect.toml")
    chosen = [section for section in section_by_name.values() if section.remote is not None]
    return [section for section in chosen if not names or section.name in names]


def fetch(project: Project, section: SourceSection, until: date) -> Fetched:
    """Bring what is new of one source; `until` is the running day, which a table of a database does not yet have whole.

    Files are moved while no run reads the inbox.

    Raises:
        FetchError: naming the address, the reason and what to do; what has come so far is kept for the next time.
        BusyError: when a run is active.
    """
    staging = Staging.of(project.root, project.var, section.name)
    new, unchanged = _brought(section, staging, until)
    with sole_run(project.var):
        staging.deliver(new)
    return Fetched(section.name, len(new), sum(version.bytes for version in new.values()), unchanged)


def _brought(section: SourceSection, staging: Staging, until: date) -> tuple[dict[str, Version], int]:
    remote = section.remote
    if remote is None:
        raise FetchError(f"source {section.name!r} has no [source.remote]; name its address in trisect.toml")
    if remote.url.startswith(buckets.SCHEMES):
        return buckets.fetch_bucket(remote.url, section.files, staging)
    columns = tuple(section.columns.values()) or FORMATS[section.kind, section.format].columns
    return postgresql.fetch_table(remote.url, remote.table, remote.time_column, columns, section.files, staging, until)
