"""What `trisect status` says: from files only, so that it works when the scheduler does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from orchestration import last_failure
from orchestration.exit_codes import Exit
from orchestration.missing_nights import missing, yesterday
from orchestration.settings import Project, load, load_typed
from warehouse import publish

HOURS_TOLD: Final = 48
"""Up to so many hours an age is told in hours, then in days."""


@dataclass(frozen=True)
class Status:
    """Where the nights of a project stand; `age_hours` counts from the end of the newest night."""

    night: date | None
    revision: int | None
    age_hours: float | None
    missing: list[date]
    failure: last_failure.Failure | None
    delivery: list[str]
    waiting: list[str]

    def as_json(self) -> str:
        """One JSON document, with dates as text."""
        return json.dumps(asdict(self) | {"failure": self._failure()}, default=str, indent=1)

    def _failure(self) -> dict[str, object] | None:
        """The last failure as plain values."""
        failure = self.failure
        fields = ("night", "at", "reason", "is_held")
        return {name: getattr(failure, name) for name in fields} if failure is not None else None

    def sentences(self) -> Iterator[str]:
        """What waits and why, then the newest night and its age in words."""
        if self.failure is not None:
            state = "held" if self.failure.is_held else "failed"
            yield f"{state}: night {self.failure.night} at {self.failure.at.isoformat()}: {self.failure.reason}"
        yield from self.delivery
        yield from self.waiting
        if self.night is not None and self.age_hours is not None:
            yield f"last published night: {self.night}, revision {self.revision}, data {in_words(self.age_hours)}"

    def gap(self) -> str:
        """Why the exit code is 21; empty when no night is missing."""
        if self.night is None:
            return "no night is published yet; run `trisect run`"
        if not self.missing:
            return ""
        if len(self.missing) == 1:
            return f"1 night is missing, {self.missing[0]}; run `trisect run`"
        return f"{len(self.missing)} nights are missing, {self.missing[0]} to {self.missing[-1]}; run `trisect run`"


def status_of(project: Project, now: datetime) -> Status:
    """The status of the project at a time."""
    nights = publish.nights(project.published)
    newest = max(nights, default=None)
    delivery, waiting = _delivery(project, now)
    ended = datetime(newest.year, newest.month, newest.day, tzinfo=UTC) + timedelta(days=1) if newest else None
    return Status(
        night=newest,
        revision=nights[newest] if newest else None,
        age_hours=(now - ended).total_seconds() / 3600 if ended else None,
        missing=missing(project, yesterday(now)),
        failure=last_failure.noted(project.var),
        delivery=delivery,
        waiting=waiting,
    )


def _delivery(project: Project, now: datetime) -> tuple[list[str], list[str]]:
    """How far the e-mails and posts of the nights are, and what stands in their way."""
    if not project.settings.delivery.is_wanted:
        return [], []
    from orchestration.notify import dispatch  # noqa: PLC0415 - most projects send nothing, and need not wait for it

    return dispatch.progress(project, now), dispatch.troubles(project, now)


def in_words(hours: float) -> str:
    """How old data is."""
    if hours < 0:
        return "from after this clock"
    return f"{hours:.0f} hours old" if hours <= HOURS_TOLD else f"{hours / 24:.0f} days old"


def status(root: Path, now: datetime, *, form: str, is_told: bool, detail: str = "normal") -> Exit:
    """Say what is published, what is missing and what failed last; files only, so that it works without Dagster.

    A status that is told also sends what is due, missing nights among it: for who has a scheduler but no daemon.
    """
    if is_told:
        from orchestration.notify import dispatch  # noqa: PLC0415 - as above

        dispatch.delivered(load(root.resolve()), now, is_watch=True)
    standing = status_of(load_typed(root.resolve()), now)
    lines = standing.sentences() if detail != "quiet" or standing.gap() else ()
    for line in [standing.as_json()] if form == "json" else lines:
        click.echo(line)
    if standing.gap():
        click.echo(standing.gap(), err=True)
    return Exit.NIGHT_MISSING if standing.gap() else Exit.PUBLISHED
