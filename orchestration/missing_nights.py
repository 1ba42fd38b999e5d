"""Which nights to run: those that are over and not published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from orchestration.settings import Project
from warehouse import publish


def yesterday(now: datetime) -> date:
    """The last night that is over."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def missing(project: Project, until: date) -> list[date]:
    """Every night after the first published one that is not published, up to `until`, in order.

    Nights that are older than published ones are kept are not missed.
    """
    published = publish.nights(project.published)
    if not published:
        return []
    first = max(min(published), publish.oldest_kept(max(published), project.settings.retention.published_months))
    days = (first + timedelta(days=n) for n in range((until - first).days + 1))
    return [day for day in days if day not in published]
