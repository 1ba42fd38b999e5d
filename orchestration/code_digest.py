"""A digest of the code that computes the ledger, so that a new version computes it anew."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import transforms
from warehouse import schemas

ROOMS: Final = ("", "staging", "ledger")
LIBRARIES: Final = ("polars", "duckdb", "numpy", "narwhals")


@cache
def code_digest() -> str:
    """Digest of the transforms of staging and ledger, of the schemas, and of the versions of what they stand on."""
    folders = [*(Path(transforms.__path__[0]) / room for room in ROOMS), Path(schemas.__path__[0])]
    digest = hashlib.sha256(repr([version(library) for library in LIBRARIES]).encode())
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
