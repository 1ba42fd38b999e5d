"""A copy of the warehouse for readers: it opens while a run writes, and holds the newest night that was finished."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Final

from warehouse.recovery import DATABASE

SNAPSHOT: Final = "snapshot.duckdb"
_LOG: Final = logging.getLogger("trisect.steps")


def write_snapshot(var: Path) -> None:
    """Copy the closed warehouse beside itself, whole; whoever reads the copy before it goes on reading that one.

    A disk without room for it costs the copy, not the night, which is published by then.
    """
    aside = var / f".{SNAPSHOT}.{os.getpid()}"
    try:
        for left in var.glob(f".{SNAPSHOT}.*"):
            left.unlink()
        shutil.copyfile(var / DATABASE, aside)
        aside.chmod(0o400)  # a tool that would write to it would lose what it wrote with the next night
        aside.rename(var / SNAPSHOT)
    except OSError as error:
        aside.unlink(missing_ok=True)
        remedy = "make room for a second warehouse, or set [retention] snapshot = false"
        _LOG.warning("var/%s stays as it was: %s; %s", SNAPSHOT, error.strerror, remedy)
