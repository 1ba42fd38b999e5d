"""What `trisect doctor` looks at: the machine, the clock, the room, and every file below var/ that a night trusts."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from orchestration.clock import moment
from orchestration.run_lock import sole_run
from orchestration.settings import Project
from templates.typesetting import system_libraries
from warehouse import free_space, outbox, publish, recovery
from warehouse.connection import connect
from warehouse.errors import BusyError
from warehouse.landing.inbox import late_arrivals
from warehouse.landing.requests import landed_digests

LIBRARIES = ("trisect", "dagster", "duckdb", "polars", "pandera", "weasyprint")
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is well, what it is, and what to do where it is not."""

    name: str
    is_well: bool
    fact: str
    remedy: str = ""

    def sentence(self) -> str:
        """One line."""
        return (
            f"{'ok  ' if self.is_well else 'BAD '} {self.name}: {self.fact}{'; ' if self.remedy else ''}{self.remedy}"
        )


def examined(project: Project) -> Iterator[Finding]:
    """Everything that was looked at; nothing is changed but what a night would set aside."""
    yield _versions()
    yield _libraries()
    yield _clock(project)
    yield _room(project)
    yield from _published(project)
    try:
        with sole_run(project.var):
            yield Finding("lock", is_well=True, fact="no run is active")
            yield from _stores(project)
    except BusyError:
        yield Finding("lock", is_well=True, fact="a run is active, so the stores are not looked into")


def _versions() -> Finding:
    names = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return Finding("versions", is_well=True, fact=f"Python {platform.python_version()}, {names}")


def _libraries() -> Finding:
    lacking = system_libraries.missing()
    drawn = ", ".join(f"{name} {number}" for name, number in system_libraries.versions().items())
    if not lacking:
        return Finding("libraries", is_well=True, fact=drawn)
    names = ", ".join(library.package for library in lacking)
    return Finding("libraries", is_well=False, fact="the report cannot be drawn", remedy=f"install {names}")


def _clock(project: Project) -> Finding:
    """Files say when they were written; one that lies ahead of this clock says that one of both is wrong."""
    now, patterns = moment(None), [source.files for source in project.settings.sources()]
    newest = max((arrival.at for arrival in late_arrivals(project.root, patterns, {})), default=now)
    is_well = newest <= now + CLOCKS_DIFFER
    ahead = "" if is_well else f", and a file of the inbox is of {newest.isoformat(timespec='seconds')}"
    return Finding("clock", is_well, f"{now.isoformat()}{ahead}", "" if is_well else "set the clock of this machine")


def _room(project: Project) -> Finding:
    patterns = [source.files for source in project.settings.sources()]
    size = sum(_bytes(project, arrival.file) for arrival in late_arrivals(project.root, patterns, {}))
    free, need = shutil.disk_usage(project.root).free, free_space.needed(size)
    fact = f"{free / 1e6:,.0f} MB free, a rebuild of everything may need {need / 1e6:,.0f} MB"
    return Finding("room", free >= need, fact, "" if free >= need else f"make room on the disk of {project.root}")


def _bytes(project: Project, file: str) -> int:
    return (project.root / file).lstat().st_size


def _published(project: Project) -> Iterator[Finding]:
    nights = publish.nights(project.published)
    damaged = [
        night.isoformat()
        for night, revision in sorted(nights.items())
        if not publish.is_intact(publish.directory(project.published, night, revision))
    ]
    remedy = f"restore them from a backup, or `trisect run --night {damaged[0]}`" if damaged else ""
    fact = f"{len(nights)} nights" + (f", of which differ from their manifest: {', '.join(damaged)}" if damaged else "")
    yield Finding("published", not damaged, fact, remedy)
    try:
        records = [
            outbox.messages(project.var / "delivery", night) for night in outbox.nights(project.var / "delivery")
        ]
    except outbox.LettersError as error:
        yield Finding("delivery", is_well=False, fact=str(error))
    else:
        yield Finding("delivery", is_well=True, fact=f"{sum(map(len, records))} letters and posts on record")


def _stores(project: Project) -> Iterator[Finding]:
    built_again = "it was set aside; the next run builds it again"
    is_damaged = recovery.set_aside_a_damaged_warehouse(project.var)
    yield Finding("warehouse", not is_damaged, "damaged" if is_damaged else "whole", built_again if is_damaged else "")
    is_damaged = recovery.set_aside_a_damaged_store(project.var)
    yield Finding("dagster", not is_damaged, "damaged" if is_damaged else "whole", built_again if is_damaged else "")
    with closing(connect(project.var, project.settings.machine())) as connection:
        folder = project.var / "landed" / "requests"
        recorded = sorted(landed_digests.recorded(connection))
        lost = landed_digests.untrusted(connection, [folder / name for name in recorded])
    remedy = "the next run lands them again from the inbox" if lost else ""
    yield Finding(
        "landed", not lost, f"{len(recorded)} files" + (f", {len(lost)} lost or damaged" if lost else ""), remedy
    )
