"""One lock of a project for every way to start a night: command, schedule, UI and backfill."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from warehouse.errors import BusyError

_HELD: Final[Counter[Path]] = Counter()
"""How often this process holds the lock of each project: a night within `trisect run` has it already."""


@contextmanager
def sole_run(var: Path) -> Iterator[None]:
    """Hold the project for one run, whose files nobody else may read; a lock that a dead process left holds up nobody.

    Raises:
        BusyError: when another run is active.
    """
    if _HELD[var]:
        yield
        return
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(var / "run.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another run of {var.parent} is active; wait for it to end") from error
        _HELD[var] += 1
        try:
            with _private_files():
                yield
        finally:
            del _HELD[var]


@contextmanager
def _private_files() -> Iterator[None]:
    """Whatever a library creates meanwhile belongs to the user alone: stores, logs and spilled rows hold names."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
