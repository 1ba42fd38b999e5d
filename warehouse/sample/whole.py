"""A project directory is written whole: aside, then moved into place, its settings last."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

SETTINGS: Final = "trisect.toml"
ASIDE: Final = ".trisect-init"


def is_free(directory: Path) -> bool:
    """Whether a project can be written there: nothing is, or what a writing that was killed has left."""
    return not directory.exists() or not any(directory.iterdir()) or (directory / ASIDE).is_dir()


def write_whole(directory: Path, write: Callable[[Path], None]) -> None:
    """Write a project with `write`; a kill leaves what the next call puts right, never a project that looks whole."""
    aside = directory / ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    write(aside)
    for path in sorted(aside.iterdir(), key=lambda path: path.name == SETTINGS):
        target = directory / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    aside.rmdir()
