"""The digest by which a file is known."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(content: bytes | Path) -> str:
    """SHA-256 of bytes, or of the file that holds them."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
