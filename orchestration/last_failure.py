"""The note about the last night that was not published: what `trisect status` and the e-mail about it say."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "last_failure.json"
LONGEST_REASON: Final = 2_000


class Failure(msgspec.Struct, frozen=True):
    """A night that was not published, and why; it is held where the data is to blame."""

    night: date
    at: datetime
    reason: str
    is_held: bool = False


def noted(var: Path) -> Failure | None:
    """What failed last and still stands; a note that cannot be read says nothing."""
    path = var / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Failure)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def note(var: Path, failure: Failure) -> None:
    """Leave the note."""
    shortened = msgspec.structs.replace(failure, reason=failure.reason[:LONGEST_REASON])
    (var / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(shortened), indent=1))


def forget(var: Path) -> None:
    """Take the note away: a night was published since."""
    (var / FILE).unlink(missing_ok=True)
