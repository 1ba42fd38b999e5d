"""A bill written in a native layout and read by both readers, for the tests of the native formats."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from warehouse.sources.decode.staging_copy import spooled, unpack
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT = datetime(2026, 11, 20, tzinfo=UTC)
Row = Mapping[str, object]


def read_file(file: Path, name: str, folder: Path) -> Reading:
    """What both readers agree on."""
    found = spooled(file.parent, file.name)
    content = unpack(found, folder / "content")
    return _read(Delivered(file.name, found.sha256, found.bytes, content, NIGHT), name)


def read_rows(rows: Sequence[Row], name: str, folder: Path, file: str = "bill.csv") -> Reading:
    """Rows written as CSV; a column that a row lacks is empty."""
    path = folder / "rows.csv"
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _read(Delivered(file, digest, path.stat().st_size, path, NIGHT), name)


def charges(reading: Reading) -> pl.DataFrame:
    """The accepted charges in the order of the file."""
    return reading.frames["charge_rows"]


def _read(delivered: Delivered, name: str) -> Reading:
    source, known = Source("cloud", "gpu_billing", name, "inbox/*"), FORMATS["gpu_billing", name]
    reading = known.read(delivered, source)
    known.verify(delivered, source, reading)
    return reading
