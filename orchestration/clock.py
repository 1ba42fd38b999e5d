"""The clock of a run: `--now`, else the wall clock; nothing else reads it."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(now: str | None) -> datetime:
    """What `now` says in ISO 8601 (UTC where it has no offset), else this second.

    Raises:
        ValueError: when `now` is no time.
    """
    if not now:
        return datetime.now(UTC).replace(microsecond=0)
    given = datetime.fromisoformat(now)
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
