"""Tables as bytes between a process and its limited child."""

from __future__ import annotations

import io

import polars as pl


def packed(rows: pl.DataFrame) -> bytes:
    """The table as an Arrow file."""
    stream = io.BytesIO()
    rows.write_ipc(stream)
    return stream.getvalue()


def unpacked(arrow: bytes) -> pl.DataFrame:
    """The table of an Arrow file."""
    return pl.read_ipc(arrow)
