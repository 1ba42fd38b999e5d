"""JSONL: one object a line, its members as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from warehouse.sources.json_cells import Cells, json_cells
from warehouse.sources.json_text import BadLine
from warehouse.sources.layout import Found, Layout, cleaned, find
from warehouse.sources.line_blocks import line_blocks
from warehouse.sources.sheets import Sheet, refused_rows


def json_sheets(content: Path, layout: Layout) -> Iterator[Sheet]:
    """The rows of a JSONL file; a column that no row of the first block has is missing.

    Raises:
        RejectedFile: limit, encoding, missing_column or duplicate_column.
    """
    found: Found | None = None
    for block in line_blocks(content):
        rows, refused, blank = _objects(block)
        names = list(dict.fromkeys(name for _, cells in rows for name in cells))
        found = _found(names, layout, found)
        yield Sheet(_cells(rows, found), found, refused, blank)


def _found(names: list[str], layout: Layout, before: Found | None) -> Found:
    """Where the columns stand in this block; one that earlier blocks had is not missing."""
    known = list(dict.fromkeys((*names, *(before.taken.values() if before else ()))))
    cleaned(known)
    return find(known, layout)


def _objects(block: pl.DataFrame) -> tuple[list[tuple[str, Cells]], pl.DataFrame, int]:
    rows: list[tuple[str, Cells]] = []
    refused: list[tuple[str, str, str]] = []
    blank, ended = 0, (pl.col("text") != pl.col("whole")).alias("is_ended")
    for line, text, is_ended, is_utf8 in block.select("line", "text", ended, "is_utf8").iter_rows():
        if not text.strip():
            blank += 1
            continue
        try:
            rows.append((f"line {line}", _members(text if is_utf8 else None)))
        except BadLine as bad:
            is_cut = bad.reason == "bad_json" and not is_ended
            refused.append((f"line {line}", "truncated" if is_cut else bad.reason, bad.detail))
    names = {name: pl.String() for name in ("location", "reason", "detail")}
    return rows, refused_rows(pl.DataFrame(refused, schema=names, orient="row")), blank


def _members(text: str | None) -> Cells:
    if text is None:
        raise BadLine("encoding", "a byte that is no UTF-8")
    return json_cells(text)


def _cells(rows: list[tuple[str, Cells]], found: Found) -> pl.DataFrame:
    names = dict.fromkeys((*found.taken.values(), *found.carried))
    locations = pl.Series("location", [location for location, _ in rows], dtype=pl.String)
    columns = [pl.Series(name, [cells.get(name) for _, cells in rows], dtype=pl.String) for name in names]
    return pl.DataFrame([locations, *columns])
