"""How a run can end without a published night; each carries the sentence for stderr and its exit code."""

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


class HeldError(Exception):
    """The night is not published, the old report stands: what, where, why, what to do."""


class BusyError(Exception):
    """Another run is active."""
