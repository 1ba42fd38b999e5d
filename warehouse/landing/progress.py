"""Tells whoever listens how far a landing is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from warehouse.landing.file_cache import Content

LANDED: Final = logging.getLogger("trisect.landed")
"""A message for each file that is read; nobody hears it unless a handler is added."""


def announced(wanted: Sequence[Content]) -> Iterator[Content]:
    """The contents in turn, each announced before it is read: its source, and which of how many it is."""
    for number, content in enumerate(wanted, start=1):
        LANDED.info("%s: reading file %s of %s", content.source.name, f"{number:,}", f"{len(wanted):,}")
        yield content
