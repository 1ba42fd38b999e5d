"""Folders of one step of a run: private, below var/tmp, and gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_folder(var: Path, name: str) -> Iterator[Path]:
    """An empty folder on the disk of `var`, so that what is written there can be renamed into place.

    What a killed run left under the name goes: there is one writer of a project.
    """
    (var / "tmp").mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in (var / "tmp").glob(f"{name}-*"):
        shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(dir=var / "tmp", prefix=f"{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
