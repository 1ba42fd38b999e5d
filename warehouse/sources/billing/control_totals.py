"""A second reader of bills that shares no parsing code with the first: it adds up the rows that were accepted."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.sources.billing.control_columns import ControlColumns, Spellings, StatedColumns, Totals
from warehouse.sources.billing.control_totals_fast import column_totals
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_UNIT: Final = Decimal("1e-12")
_NARROW: Final = {"float": np.float32, "halffloat": np.float16}
_WIDEST_FIELD: Final = 2 << 20
_NOTHING: Final = (Decimal(0), Decimal(0))
_SILENT: Final = ("", "NULL", "null")
_UNSPLIT: Final = ("encoding", "bad_quote", "header_repeat", "short_row", "long_row")


class OpinionsDifferError(RuntimeError):
    """Two readers that share no parsing code disagree on the sum of a bill: one of them is wrong."""


class _Row(NamedTuple):
    """The cells of one row that are added up, and the number of the line or row it stands in."""

    number: int
    cells: tuple[object, ...]


SecondReader = Callable[[Delivered, Source, Reading], Totals]
"""Adds up the accepted rows of a bill: currency -> billed and effective cost."""


def of_columns(columns: ControlColumns) -> SecondReader:
    """The second reader of a format whose costs stand in columns; a cost that none states is left as it was read."""

    def totals(delivered: Delivered, source: Source, read: Reading) -> Totals:
        stated = columns.of(source)
        is_derived = [
            not stated.billed or "billed_cost" in read.derived_totals,
            not stated.effective or "effective_cost" in read.derived_totals,
        ]
        again = _added_up(delivered.content, stated, read, is_derived)
        return {code: _laid_over(sums, read.totals.get(code, _NOTHING), is_derived) for code, sums in again.items()}

    return totals


def compare(delivered: Delivered, read: Reading, again: Totals) -> None:
    """Hold the sums of the reader against those of the second one.

    Raises:
        OpinionsDifferError: naming the file, the currency and both sums.
    """
    for currency in {**again, **read.totals}:
        first, second = read.totals.get(currency, _NOTHING), again.get(currency, _NOTHING)
        if first != second:
            raise OpinionsDifferError(
                f"two readers disagree on {delivered.file} in {currency}: billed {first[0]:f}, effective {first[1]:f} "
                f"against {second[0]:f}, {second[1]:f}; nothing is published: keep the file and report it"
            )


def _laid_over(
    stated: tuple[Decimal, Decimal], read: tuple[Decimal, Decimal], is_derived: Sequence[bool]
) -> tuple[Decimal, Decimal]:
    billed, effective = (was if free else summed for free, summed, was in zip(is_derived, stated, read, strict=True))
    return billed, effective


def _is_same(first: Sequence[Decimal], second: Sequence[Decimal], is_derived: Sequence[bool]) -> bool:
    return all(free or one == other for free, one, other in zip(is_derived, first, second, strict=True))


def _added_up(content: Path, columns: StatedColumns, read: Reading, is_derived: Sequence[bool]) -> Totals:
    """Column by column where every row was accepted and every cell is plain; row by row for a doubt of any kind."""
    quick = None if read.refused.height or len(read.repeated) else column_totals(content, columns)
    is_agreed = quick is not None and quick.keys() == read.totals.keys()
    if quick and is_agreed and all(_is_same(read.totals[code], quick[code], is_derived) for code in quick):
        return quick
    refused = {_number(location) for location in (*read.refused["location"], *read.repeated)}
    rows = (row for row in _rows(content, columns.wanted, _unsplit(read)) if row.number not in refused)
    return _sums(rows, columns)


def _number(location: str) -> int:
    return int(location.rpartition(" ")[2])


def _unsplit(read: Reading) -> set[int]:
    """The physical lines of the records that no reader can split; `detail` says how many where it is not one."""
    lines: set[int] = set()
    unsplit = read.refused.filter(read.refused["reason"].is_in(_UNSPLIT))
    for location, detail in unsplit.select("location", "detail").iter_rows():
        lines.update(range(_number(location), _number(location) + int((detail or "1").partition(" ")[0])))
    return lines


def _sums(rows: Iterator[_Row], columns: StatedColumns) -> Totals:
    """A cost that a row states in none of its columns is the other one."""
    sums: Totals = {}
    last = 1 + len(columns.billed)
    for row in rows:
        code = str(columns.constant or row.cells[0]).upper()
        before = sums.get(code, _NOTHING)
        billed = _cost(row.cells[1:last])
        effective = _cost(row.cells[last : last + len(columns.effective)])
        stated = [cost for cost in (billed, effective) if cost is not None]
        more = _member_costs(row.cells[-1], columns.members[1]) if columns.members else Decimal(0)
        costs = (stated[0] if billed is None else billed, stated[-1] if effective is None else effective)
        sums[code] = (_EXACT.add(before[0], costs[0] + more), _EXACT.add(before[1], costs[1] + more))
    return sums


def _cost(cells: Sequence[object]) -> Decimal | None:
    """The sum of a row's cells, rounded; None where none of them says anything."""
    amounts = [Decimal(str(cell).strip()) for cell in cells if cell is not None and str(cell).strip() not in _SILENT]
    return _rounded(sum(amounts[1:], amounts[0])) if amounts else None


def _member_costs(cell: object, member: str) -> Decimal:
    """The sum of one member of each object of a list, which is nested or JSON text; each is rounded by itself."""
    if cell is None or cell in ("", "NULL", "null"):
        return Decimal(0)
    entries: Any = json.loads(cell, parse_float=str, parse_int=str) if isinstance(cell, str) else cell
    amounts = (_rounded(Decimal(str(one[member]))) for one in entries if one[member] is not None)
    return sum(amounts, Decimal(0))


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_UNIT, context=_EXACT)


def _rows(content: Path, wanted: Sequence[Spellings], unsplit: Collection[int]) -> Iterator[_Row]:
    with content.open("rb") as stream:
        begin = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"PAR1"):
        return _parquet_rows(content, wanted)
    if begin.startswith(b"["):
        return _list_rows(content, wanted)
    return _json_rows(content, wanted) if begin.startswith(b"{") else _csv_rows(content, wanted, unsplit)


def _position(names: Sequence[str], spellings: Spellings) -> int | None:
    """Where a column stands: under one of its names, best first, exactly or else whatever the case."""
    for name in spellings:
        if name in names:
            return names.index(name)
        position = next((index for index, other in enumerate(names) if other.casefold() == name.casefold()), None)
        if position is not None:
            return position
    return None


def _parquet_rows(content: Path, wanted: Sequence[Spellings]) -> Iterator[_Row]:
    with pq.ParquetFile(content) as opened:
        names = opened.schema_arrow.names
        positions = [_position([name.strip() for name in names], name) for name in wanted]
        columns = [None if position is None else names[position] for position in positions]
        batches = opened.iter_batches(columns=list(dict.fromkeys(name for name in columns if name is not None)))
        rows = itertools.chain.from_iterable(_batch_rows(batch, columns) for batch in batches)
        yield from (_Row(number, cells) for number, cells in enumerate(rows, 1))


def _batch_rows(batch: pa.RecordBatch, columns: Sequence[str | None]) -> Iterator[tuple[object, ...]]:
    nothing = itertools.repeat(None, batch.num_rows)
    return zip(*(nothing if name is None else _column_cells(batch.column(name)) for name in columns), strict=True)


def _column_cells(column: pa.Array) -> Sequence[object]:
    """The values of a column; a float of few bits as the shortest text that names it, not as the double beside it."""
    cells: list[Any] = column.to_pylist()
    narrow = _NARROW.get(str(column.type))
    return cells if narrow is None else [None if cell is None else str(narrow(cell)) for cell in cells]


def _list_rows(content: Path, wanted: Sequence[Spellings]) -> Iterator[_Row]:
    """The objects of a JSON list, which the first reader numbers as lines."""
    objects = json.loads(content.read_text(encoding="utf-8-sig"), parse_float=str, parse_int=str)
    yield from (_Row(number, tuple(_cells(members, wanted))) for number, members in enumerate(objects, 1))


def _json_rows(content: Path, wanted: Sequence[Spellings]) -> Iterator[_Row]:
    with content.open(encoding="utf-8-sig", errors="replace", newline=None) as stream:
        lines = ((number, _members(line)) for number, line in enumerate(stream, 1))
        yield from (_Row(number, tuple(_cells(members, wanted))) for number, members in lines if members is not None)


def _members(line: str) -> dict[str, object] | None:
    """None where it is blank or refused by the first reader: a row that it accepted would be missed in the sum."""
    try:
        document = json.loads(line, parse_float=str, parse_int=str)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _cells(members: Mapping[str, object], wanted: Sequence[Spellings]) -> Iterator[object]:
    names = list(members)
    positions = (_position(names, name) for name in wanted)
    return (None if position is None else members[names[position]] for position in positions)


def _csv_rows(content: Path, wanted: Sequence[Spellings], unsplit: Collection[int]) -> Iterator[_Row]:
    csv.field_size_limit(_WIDEST_FIELD)
    lines = _Lines(content, unsplit)
    rows = csv.reader(lines)
    names = next(row for row in rows if any(cell.strip() for cell in row))
    lines.taken()
    positions = [_position([name.strip() for name in names], name) for name in wanted]
    for row in rows:
        if row and (len(row) > 1 or row[0].strip()):
            yield _Row(lines.taken(), tuple(None if position is None else row[position] for position in positions))
        else:
            lines.taken()


class _Lines(Iterator[str]):
    """The physical lines but for those that cannot be split, and the number of the first one since the last record."""

    def __init__(self, content: Path, unsplit: Collection[int]) -> None:
        self._content, self._unsplit = content, unsplit
        self._numbered = self._lines()
        self._first: int | None = None

    def __next__(self) -> str:
        number, line = next(self._numbered)
        self._first = number if self._first is None else self._first
        return line

    def taken(self) -> int:
        """The first line of the record that was just taken."""
        first, self._first = self._first or 0, None
        return first

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self._content.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if number not in self._unsplit)
