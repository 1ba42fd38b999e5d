"""One policy file as people edit it in a spreadsheet: its header by name, its rows typed, each with its line.

A column whose name starts with # holds people's notes and is not read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.schemas.columns import Column
from warehouse.schemas.table import Table
from warehouse.sources.policy.cells import BadCell, Cell, Reader, cell_reader
from warehouse.sources.policy.faults import Fault

NOT_IN_FILES: Final = ("line", "position")
MAY_BE_LEFT_OUT: Final = (
    "ttft_s_limit", "tpot_s_limit", "reason", "opening_usd", "closing_usd", "better", "renewal", "usd_per_hour",
    "residual_usd", "life_months", "power_usd_per_gpu_hour",
)  # fmt: skip
NOTE: Final = "#"
LONGEST_CELL: Final = 100_000
WIDEST_FIELD: Final = 2 << 20
OTHER_SEPARATORS: Final = ";\t|"
PADDING: Final = " \t\r\n\u00a0\ufeff"


@dataclass(frozen=True)
class Sheet:
    """One policy file: its sound rows with the line each starts on, and what is wrong with the others."""

    file: str
    rows: pl.DataFrame
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class _Record:
    line: int
    cells: Sequence[str]


class _BrokenRecordError(ValueError):
    """A record that is no CSV, with the line it starts on."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def read_sheet(path: Path, file: str, table: type[Table]) -> Sheet:
    """The file at `path`, called `file` in messages, as rows of `table`; an absent file has none."""
    if not path.exists():
        return Sheet(file, _frame(table, []))
    if not path.is_file():
        return Sheet(file, _frame(table, []), (Fault(file, 0, "no regular file", path.name, "put a CSV file there"),))
    try:
        records = list(_records(path.read_text(encoding="utf-8-sig")))
    except (UnicodeDecodeError, _BrokenRecordError, OSError) as error:
        remedy = "save it as CSV with commas, UTF-8"
        return Sheet(file, _frame(table, []), (Fault(file, _line_of(error), "unreadable file", str(error), remedy),))
    header = records[0] if records else _Record(1, [])
    readers = _readers(table)
    faults = _header_faults(file, header, readers)
    if faults:
        return Sheet(file, _frame(table, []), tuple(faults))
    return _typed(file, header.cells, records[1:], table)


def header(path: Path) -> tuple[str, ...]:
    """The columns of a policy file in the order in which it has them; none where it is absent or no CSV."""
    try:
        first = next(_records(path.read_text(encoding="utf-8-sig")), None)
    except (UnicodeDecodeError, _BrokenRecordError, OSError):
        return ()
    return tuple(name.lower() for name in first.cells) if first else ()


def columns_in_file(table: type[Table]) -> dict[str, str]:
    """Name of each column in the file -> its name in the table; weights are thousandths only in the table."""
    return {name.removesuffix("_milli"): name for name in table.columns() if name not in NOT_IN_FILES}


def _records(text: str) -> Iterator[_Record]:
    """Records with the line they start on; lines without any content are left out."""
    csv.field_size_limit(WIDEST_FIELD)  # of the whole process: said here, so that no other reader's limit decides
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            record = _stripped(line, cells)
            if any(record.cells):
                yield record
            line = reader.line_num + 1
    except csv.Error as error:
        raise _BrokenRecordError(line, str(error)) from error


def _stripped(line: int, cells: Sequence[str]) -> _Record:
    stripped = [cell.strip(PADDING) for cell in cells]
    if max(map(len, stripped), default=0) > LONGEST_CELL:
        raise _BrokenRecordError(line, f"a cell of more than {LONGEST_CELL:,} characters")
    return _Record(line, stripped)


def _line_of(error: Exception) -> int:
    """The line that cannot be read; 0 where none of the file can."""
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    return error.line if isinstance(error, _BrokenRecordError) else 0


def _readers(table: type[Table]) -> Mapping[str, tuple[str, Column, Reader]]:
    columns = table.columns()
    return {
        written: (name, columns[name], cell_reader(name, columns[name]))
        for written, name in columns_in_file(table).items()
    }


def _header_faults(file: str, header: _Record, columns: Mapping[str, object]) -> list[Fault]:
    names = [name.lower() for name in header.cells]
    listed = ",".join(columns)
    if len(names) == 1 and any(separator in names[0] for separator in OTHER_SEPARATORS):
        remedy = f"save it as CSV with commas, and a point in decimals; the columns are {listed}"
        return [Fault(file, header.line, "cells are not separated by commas", header.cells[0], remedy)]
    missing = [name for name in columns if name not in names and name not in MAY_BE_LEFT_OUT]
    return [
        *(
            Fault(file, header.line, "unknown column", name, f"the columns are {listed}")
            for name in header.cells
            if name.lower() not in columns and not name.startswith(NOTE)
        ),
        *(
            Fault(file, header.line, "missing column", name, "add it to the header; its cells may be empty")
            for name in missing
        ),
        *(
            Fault(file, header.line, "column stands twice", name, "keep one of them")
            for name in sorted({name for name in names if names.count(name) > 1})
        ),
    ]


def _typed(file: str, header: Sequence[str], records: Sequence[_Record], table: type[Table]) -> Sheet:
    readers = _readers(table)
    names = [name.lower() for name in header]
    faults: list[Fault] = []
    rows = []
    for record in records:
        record_faults = _record_faults(file, record, len(names))
        row = {"line": record.line} | _cells(file, record, names, readers, record_faults)
        faults += record_faults
        rows += [] if record_faults else [row]
    return Sheet(file, _frame(table, rows), tuple(faults))


def _record_faults(file: str, record: _Record, width: int) -> list[Fault]:
    """A record must fill the header; empty cells that a spreadsheet adds to the right are nothing."""
    if len(record.cells) < width or any(record.cells[width:]):
        what = f"{len(record.cells)} cells under {width} columns"
        return [Fault(file, record.line, what, ",".join(record.cells), "quote cells that hold commas")]
    return []


def _cells(
    file: str,
    record: _Record,
    names: Sequence[str],
    readers: Mapping[str, tuple[str, Column, Reader]],
    faults: list[Fault],
) -> dict[str, Cell | None]:
    """The typed cells of one record; what is wrong is added to `faults`."""
    row: dict[str, Cell | None] = {}
    for written, cell in zip(names, record.cells, strict=False):
        if written.startswith(NOTE):
            continue
        name, column, reader = readers[written]
        try:
            row[name] = _cell(cell, column, reader)
        except BadCell as bad:
            faults.append(Fault(file, record.line, f"{written}: {bad.what}", cell, bad.remedy))
    return row


def _cell(cell: str, column: Column, reader: Reader) -> Cell | None:
    if any(ord(character) < ord(" ") and character not in "\t\r\n" for character in cell):
        raise BadCell("control character", "delete it")
    if cell or isinstance(column.dtype, pl.List):
        return reader(cell)
    if not column.is_nullable:
        raise BadCell("empty cell", f"say the {column.description}")
    return None


def _frame(table: type[Table], rows: Sequence[Mapping[str, Cell | None]]) -> pl.DataFrame:
    schema = {"line": pl.Int64()} | {
        name: dtype for name, dtype in table.polars_schema().items() if name not in NOT_IN_FILES
    }
    return pl.DataFrame(
        [pl.Series(name, [row.get(name) for row in rows], dtype=dtype) for name, dtype in schema.items()]
    )
