"""Files whose bytes depend on their content alone: no clock, no name, no order of a dictionary."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def text_of(header: Sequence[str], rows: Iterable[Mapping[str, object]], blank_lines_at: Sequence[int] = ()) -> str:
    """Rows as CSV under a header; a blank line follows each record numbered in `blank_lines_at`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows):
        writer.writerow(row)
        out.write("\n" if number in blank_lines_at else "")
    return out.getvalue()


def packed(content: str) -> bytes:
    """The text in UTF-8, compressed without a time."""
    return gzip.compress(content.encode(), compresslevel=9, mtime=0)


def put(path: Path, content: bytes | str) -> None:
    """Write one file, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
