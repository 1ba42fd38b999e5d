"""Whether the disk has room for a night: known before anything is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from warehouse.errors import HeldError

TIMES_INPUT: Final = 3
"""What is new is unpacked, landed and spilled once each at most."""
RESERVE: Final = 0.2
LEAST: Final = 64 * 2**20
"""What a night writes that brings nothing: the tables, the report and the history of its run."""


def needed(new_bytes: int) -> int:
    """Bytes that a night may write that brings so many."""
    return max(LEAST, round(TIMES_INPUT * new_bytes * (1 + RESERVE)))


def require(folder: Path, new_bytes: int) -> None:
    """Refuse to begin where the disk of `folder` has less room than a night needs that brings so many bytes.

    Raises:
        HeldError: no_space, naming disk, need and amount.
    """
    need, free = needed(new_bytes), shutil.disk_usage(folder).free
    if free < need:
        raise HeldError(
            f"held: no_space: the disk of {folder} has {_megabytes(free)} MB free and the night may need "
            f"{_megabytes(need)} MB (3 times the {_megabytes(new_bytes)} MB that are new, and 20 %); "
            "make room there, or move the project"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f}"
