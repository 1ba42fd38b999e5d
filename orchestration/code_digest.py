"""A digest of the code that computes a stage, so that a new version computes its days anew."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import transforms
from warehouse import schemas

LIBRARIES: Final = ("polars", "duckdb", "numpy", "narwhals")


@cache
def code_digest(stage: str) -> str:
    """Digest of the transforms of a stage, of what all stages share, and of the versions of what they stand on."""
    rooms = [Path(package.__path__[0]) for package in (transforms, schemas)]
    digest = hashlib.sha256(repr([version(library) for library in LIBRARIES]).encode())
    for room in rooms:
        for path in (*sorted(room.glob("*.py")), *sorted((room / stage).rglob("*.py"))):
            digest.update(path.read_bytes())
    return digest.hexdigest()
