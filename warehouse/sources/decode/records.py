"""The rows of a table in CSV, JSONL or Parquet as text under canonical names, whatever the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from warehouse.sources.casts.casts import control_characters, first_reason, refused, says_one_thing
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.csv_records import csv_sheets, last_line_is_open
from warehouse.sources.decode.json_list import as_lines, is_list
from warehouse.sources.decode.json_records import json_sheets
from warehouse.sources.decode.parquet_records import MAGIC, parquet_sheets
from warehouse.sources.decode.text_batch import Sheet, refused_rows
from warehouse.sources.reader_protocol import Delivered, FileWithoutRows, RejectedFile

LONGEST_CELL: Final = 1 << 20
LONGEST_SHOWN: Final = 1 << 12
_COMPRESSED: Final = (".gz", ".zst")
_JSON: Final = (".jsonl", ".ndjson", ".json")
_PARQUET: Final = (".parquet", ".pq")
_FOREIGN: Final = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a ZIP archive or spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"%pdf": "PDF",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "XML",
}
_MARK: Final = b"\xef\xbb\xbf"
_SNIFFED_BYTES: Final = 1 << 10

Sheets = Callable[[Path, Layout], Iterator[Sheet]]


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    `rows` has `location` and every canonical column of the layout as text, null where it lacks one; `unmapped` has,
    row for row, the columns nobody asked for under their own names; `present` names the canonical columns that the
    file or a constant gives, `floats` those that were binary floating point. `refused` are rows that could not be split
    into clean cells, and at their end those of `unclean`, which could be split; `blank` counts blank lines.
    """

    rows: pl.DataFrame
    unmapped: pl.DataFrame
    present: frozenset[str]
    floats: frozenset[str]
    refused: pl.DataFrame
    unclean: pl.DataFrame
    blank: int


def batches(delivered: Delivered, layout: Layout) -> Iterator[Batch]:
    """The rows of the file in bounded batches, in order.

    Raises:
        RejectedFile: empty_file, no_final_newline, encoding, bad_quote, unreadable, truncated, checksum, limit,
            missing_column or duplicate_column.
    """
    sheets = _reader(delivered)
    if sheets is csv_sheets and layout.last_line == "ended" and not delivered.is_proved:
        _refuse_open(delivered.content)
    content, rows = delivered.content, 0
    if sheets is json_sheets and is_list(_begin(delivered)):
        content = as_lines(content)
    for sheet in sheets(content, layout):
        batch = _batch(sheet, layout)
        rows += batch.rows.height + batch.refused.height
        yield batch
    if not rows and not delivered.is_proved:
        raise FileWithoutRows


def refusals(rows: pl.DataFrame, reasons: pl.Series, faults: pl.Series | None = None) -> pl.DataFrame:
    """The rows that have a reason, as every reader returns them: `raw` holds what the mapped columns said.

    `faults` say of each row which cell is at fault.
    """
    is_bad = reasons.is_not_null()
    bad = rows.with_columns(reasons.alias("reason")).filter(is_bad)
    texts = bad.select(pl.exclude("location", "reason"))
    raw = pl.Series("raw", [_as_json(cells) for cells in texts.iter_rows(named=True)], dtype=pl.String)
    detail = [] if faults is None else [faults.filter(is_bad).alias("detail")]
    return refused_rows(bad.select("location", "reason").with_columns(raw, *detail))


def _as_json(cells: dict[str, str | None]) -> str:
    return json.dumps(
        {name: text[:LONGEST_SHOWN] for name, text in cells.items() if text is not None}, ensure_ascii=False
    )


def is_parquet(delivered: Delivered) -> bool:
    """Whether the file is Parquet: by its name, or by its content where the name says nothing."""
    suffix, begin = _suffix(delivered), _begin(delivered)
    return suffix in _PARQUET or (suffix not in (*_JSON, ".csv") and begin.startswith(MAGIC))


def _suffix(delivered: Delivered) -> str:
    """What the name ends with, once what compresses the file is taken off."""
    path = PurePosixPath(delivered.file.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix


def _begin(delivered: Delivered) -> bytes:
    with delivered.content.open("rb") as stream:
        return stream.read(_SNIFFED_BYTES)


def _reader(delivered: Delivered) -> Sheets:
    """By the name, once what compresses it is taken off; a name that says nothing leaves it to the content."""
    suffix, begin = _suffix(delivered), _begin(delivered)
    if is_parquet(delivered):
        return parquet_sheets
    _refuse_foreign(begin)
    speaks_json = begin.removeprefix(_MARK).lstrip().startswith(b"{")
    if suffix in _JSON or (suffix != ".csv" and speaks_json):
        return json_sheets
    if speaks_json:
        raise RejectedFile("unreadable", "the content is JSON, though the name says CSV")
    return csv_sheets


_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
"""How texts in UTF-16 and UTF-32 begin."""


def _refuse_foreign(begin: bytes) -> None:
    if begin.startswith(_WIDE_MARKS) or b"\0" in begin[:4]:
        raise RejectedFile("encoding", "the content is UTF-16 or UTF-32, not UTF-8; save it as UTF-8")
    text = begin.removeprefix(_MARK).lstrip()
    for magic, kind in _FOREIGN.items():
        if text.startswith(magic) or text[: len(magic)].lower() == magic:
            raise RejectedFile("unreadable", f"the content is {kind}, no table of text")


def _refuse_open(content: Path) -> None:
    if content.stat().st_size > len(_MARK) and last_line_is_open(content):
        raise RejectedFile(
            "no_final_newline",
            "the last line has no end, so the file may be cut; deliver it again, or a control file beside it, "
            'or set final_newline = "optional"',
        )


def _batch(sheet: Sheet, layout: Layout) -> Batch:
    """Canonical names, constants laid over, and rows with cells that no one should store taken out."""
    taken = sheet.mapping.taken
    names = dict.fromkeys((*layout.names, *layout.constants))
    rows = pl.DataFrame([sheet.location, *(_column(name, sheet, layout).alias(name) for name in names)])
    unmapped = sheet.cells.select(sheet.mapping.unmapped)
    reasons = _unclean([*(rows[name] for name in taken), *unmapped.iter_columns()], rows.height, sheet)
    split = sheet.refused if layout.unmapped == "kept" else sheet.refused.with_columns(pl.lit("").alias("raw"))
    is_clean = reasons.is_null()
    return Batch(
        rows=rows.filter(is_clean),
        unmapped=unmapped.filter(is_clean) if unmapped.width else unmapped,
        present=frozenset({*taken, *layout.constants}),
        floats=frozenset(name for name, column in taken.items() if column in sheet.floats),
        refused=pl.concat([split, refusals(rows, reasons)]),
        unclean=rows.filter(~is_clean),
        blank=sheet.blank,
    )


def _column(name: str, sheet: Sheet, layout: Layout) -> pl.Series:
    if name in sheet.mapping.taken:
        return sheet.cells[sheet.mapping.taken[name]]
    value = layout.constants.get(name)
    return pl.Series([value], dtype=pl.String).new_from_index(0, len(sheet.location))


def _is_clean(cell: str) -> bool:
    return len(cell.encode()) <= LONGEST_CELL and not control_characters(pl.Series([cell])).any()


def _unclean(columns: list[pl.Series], height: int, sheet: Sheet) -> pl.Series:
    """Limit for a cell above 1 MiB, then control_char; both are rare, so that a glance at each column is enough."""
    spoken = [cells for cells in columns if cells.null_count() < len(cells)]
    spoken = [cells for cells in spoken if not (says_one_thing(cells) and _is_clean(cells[0]))]
    long = [cells.str.len_bytes() > LONGEST_CELL for cells in spoken]
    control = [] if sheet.is_printable else [control_characters(cells) for cells in spoken]
    none = pl.Series("reason", [None], dtype=pl.String).new_from_index(0, height)
    reasons = [refused(when, "limit") for when in long if when.any()]
    reasons += [refused(when, "control_char") for when in control if when.any()]
    return first_reason(none, *reasons)
