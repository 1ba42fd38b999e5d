"""Random draws that are the same for the same night and subject, on every machine and in every order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt


def generator(as_of: dt.date, *subject: str) -> np.random.Generator:
    """A generator seeded by the night and the names of what is drawn.

    The seed is a digest, because Python's own hash differs from process to process.
    """
    name = "\x1f".join((as_of.isoformat(), *subject))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))
