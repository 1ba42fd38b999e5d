"""Which moments a start may have: nothing before 2015, nothing that lies ahead.

Ahead is what starts three days after the first moment of the night or later, or, where a night is made up after days
without a run, what starts after the day of the run: those rows belong to nights that follow.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
_DAYS_AHEAD: Final = 3


def starts_before(night: date, today: date | None = None) -> datetime:
    """The first moment that lies ahead of a night that is run `today`; by default of one that is run in time."""
    days = _DAYS_AHEAD if today is None else max(_DAYS_AHEAD, (today - night).days + 1)
    return datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=days)


def plausible_starts(ahead: datetime) -> range:
    """The microseconds since 1970 that a start may have."""
    return range(microseconds_of(EARLIEST), microseconds_of(ahead))


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 of a moment that knows its offset."""
    return (moment - EPOCH) // timedelta.resolution
