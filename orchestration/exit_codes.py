"""The exit codes of the command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the contract."""

    PUBLISHED = 0
    UNUSABLE = 2
    PUBLISHED_WITH_QUARANTINE = 10
    HELD = 20
    NIGHT_MISSING = 21
    FAILED = 30
    BUSY = 31
