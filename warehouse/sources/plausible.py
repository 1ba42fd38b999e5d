"""Which moments a start may have: nothing before 2015, nothing three days after the night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=3)


def plausible_starts(night_start: datetime) -> range:
    """The microseconds since 1970 that a start may have, as known in the night that begins at `night_start`."""
    return range(microseconds_of(EARLIEST), microseconds_of(night_start + _AHEAD))


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 of a moment that knows its offset."""
    return (moment - EPOCH) // timedelta.resolution
