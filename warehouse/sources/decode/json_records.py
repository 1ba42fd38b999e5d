"""JSONL: one object a line, its members as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from warehouse.sources.decode.column_mapping import ColumnMapping, Layout, cleaned, find
from warehouse.sources.decode.json_columnar import NO_ROWS, AlikeRows, shape, split
from warehouse.sources.decode.json_members import Cells, json_cells
from warehouse.sources.decode.json_text import ONE_A_LINE, BadLine
from warehouse.sources.decode.text_batch import Sheet, refused_rows
from warehouse.sources.decode.text_blocks import line_blocks
from warehouse.sources.reader_protocol import RejectedFile


def json_sheets(content: Path, layout: Layout) -> Iterator[Sheet]:
    """The rows of a JSONL file; a column that no row of the first block has is missing.

    Raises:
        RejectedFile: limit, encoding, unreadable, missing_column or duplicate_column.
    """
    mapping: ColumnMapping | None = None
    for block in line_blocks(content):
        table = _Table.of(block)
        if mapping is None and not table.names():
            _refuse_unread(table.refused)
        mapping = _mapping(table.names(), layout, mapping)
        yield table.sheet(mapping)


def _refuse_unread(refused: pl.DataFrame) -> None:
    """No line of the first block could be read: why the first could not says more than the columns that it lacks."""
    if not refused.is_empty():
        first = refused.row(0, named=True)
        what = f"{first['location']}: {first['reason']}: {first['detail']}"
        raise RejectedFile("unreadable", f"no line is a JSON object that can be read; {what}; {ONE_A_LINE}")


@dataclass(frozen=True)
class _Table:
    """The objects of some lines: those that look alike as columns, the others one by one."""

    alike: AlikeRows
    alike_lines: pl.Series
    others: list[tuple[int, Cells]]
    refused: pl.DataFrame
    blank: int

    @classmethod
    def of(cls, block: pl.DataFrame) -> _Table:
        """Split what looks like the first line that is not blank, and read the rest with care."""
        spoken = block.filter(pl.col("text").str.strip_chars() != "")
        wanted = shape(spoken.item(0, "text")) if spoken.height else None
        if wanted is None:
            others, refused = _objects(spoken)
            return cls(NO_ROWS, spoken["line"].clear(), others, refused, block.height - spoken.height)
        columnar = split(spoken["text"], wanted)
        others, refused = _objects(spoken.filter(~columnar.is_alike))
        lines = spoken["line"].filter(columnar.is_alike)
        return cls(columnar.rows, lines, others, refused, block.height - spoken.height)

    def names(self) -> list[str]:
        """Every key of every object."""
        alike = self.alike.columns if len(self.alike_lines) else []
        return list(dict.fromkeys((*alike, *(name for _, cells in self.others for name in cells))))

    def sheet(self, mapping: ColumnMapping) -> Sheet:
        """The wanted members of all objects, in the order of their lines."""
        names = tuple(dict.fromkeys((*mapping.taken.values(), *mapping.unmapped)))
        lines = pl.concat([self.alike_lines.cast(pl.Int64), pl.Series("line", [at for at, _ in self.others], pl.Int64)])
        order = lines.arg_sort() if self.others else slice(None)
        location = lines.to_frame().select(pl.format("line {}", "line").alias("location")).to_series()
        cells = pl.DataFrame([self._cells(name) for name in names])
        return Sheet(location[order], cells[order] if names else cells, mapping, self.refused, self.blank)

    def _cells(self, name: str) -> pl.Series:
        absent = pl.Series([None], dtype=pl.String).new_from_index(0, len(self.alike_lines))
        alike = self.alike.column(name) if name in self.alike.columns else absent
        others = pl.Series([cells.get(name) for _, cells in self.others], dtype=pl.String)
        return pl.concat([alike.alias(name), others.alias(name)])


def _objects(spoken: pl.DataFrame) -> tuple[list[tuple[int, Cells]], pl.DataFrame]:
    rows: list[tuple[int, Cells]] = []
    refused: list[tuple[str, str, str]] = []
    is_ended = (pl.col("text") != pl.col("whole")).alias("is_ended")
    for line, text, ended, is_utf8 in spoken.select("line", "text", is_ended, "is_utf8").iter_rows():
        try:
            rows.append((line, _members(text if is_utf8 else None)))
        except BadLine as bad:
            is_cut = bad.reason == "bad_json" and not ended
            refused.append((f"line {line}", "truncated" if is_cut else bad.reason, bad.detail))
    names = {name: pl.String() for name in ("location", "reason", "detail")}
    return rows, refused_rows(pl.DataFrame(refused, schema=names, orient="row"))


def _members(text: str | None) -> Cells:
    if text is None:
        raise BadLine("encoding", "a byte that is no UTF-8")
    return json_cells(text)


def _mapping(names: list[str], layout: Layout, before: ColumnMapping | None) -> ColumnMapping:
    """Where the columns stand in this block; one that earlier blocks had is not missing."""
    every_name = list(dict.fromkeys((*names, *(before.taken.values() if before else ()))))
    cleaned(every_name)
    return find(every_name, layout)
