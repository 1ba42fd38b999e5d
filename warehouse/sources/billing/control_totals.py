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

from warehouse.sources.billing.control_totals_fast import Totals, column_totals
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_UNIT: Final = Decimal("1e-12")
_NARROW: Final = {"float": np.float32, "halffloat": np.float16}
_WIDEST_FIELD: Final = 2 << 20
_NOTHING: Final = (Decimal(0), Decimal(0))
_CANONICAL: Final = ("currency", "billed_cost", "effective_cost")
_UNSPLIT: Final = ("encoding", "bad_quote", "header_repeat", "short_row", "long_row")


class OpinionsDifferError(RuntimeError):
    """Two readers that share no parsing code disagree on the sum of a bill: one of them is wrong."""


class _Row(NamedTuple):
    """The cells of one row that are added up, and the number of the line or row it stands in."""

    number: int
    currency: object
    billed: object
    effective: object


SecondReader = Callable[[Delivered, Source, Reading], Totals]
"""Adds up the accepted rows of a bill: currency -> billed and effective cost."""


def of_columns(currency: str, billed_cost: str, effective_cost: str) -> SecondReader:
    """The second reader of a format that states both costs in columns of their own."""
    names = (currency, billed_cost, effective_cost)

    def totals(delivered: Delivered, source: Source, read: Reading) -> Totals:
        wanted = [source.columns.get(*pair) for pair in zip(_CANONICAL, names, strict=True)]
        return _added_up(delivered.content, wanted, source.constants.get("currency"), read)

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


def _added_up(content: Path, wanted: Sequence[str], constant: str | None, read: Reading) -> Totals:
    """Column by column where every row was accepted and every cell is plain; row by row for a doubt of any kind."""
    quick = None if read.refused.height else column_totals(content, wanted, constant)
    if quick == read.totals:
        return quick
    refused = {_number(location) for location in read.refused["location"]}
    rows = (row for row in _rows(content, wanted, _unsplit(read)) if row.number not in refused)
    return _sums(rows, constant)


def _number(location: str) -> int:
    return int(location.rpartition(" ")[2])


def _unsplit(read: Reading) -> set[int]:
    """The physical lines of the records that no reader can split; `detail` says how many where it is not one."""
    lines: set[int] = set()
    unsplit = read.refused.filter(read.refused["reason"].is_in(_UNSPLIT))
    for location, detail in unsplit.select("location", "detail").iter_rows():
        lines.update(range(_number(location), _number(location) + int((detail or "1").partition(" ")[0])))
    return lines


def _sums(rows: Iterator[_Row], constant: str | None) -> Totals:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for row in rows:
        code = str(constant or row.currency).upper()
        before = sums.get(code, _NOTHING)
        billed = row.effective if row.billed is None else row.billed
        effective = row.billed if row.effective is None else row.effective
        sums[code] = (_plus(before[0], billed), _plus(before[1], effective))
    return sums


def _plus(total: Decimal, cell: object) -> Decimal:
    return _EXACT.add(total, Decimal(str(cell)).quantize(_UNIT, context=_EXACT))


def _rows(content: Path, wanted: Sequence[str], unsplit: Collection[int]) -> Iterator[_Row]:
    with content.open("rb") as stream:
        begin = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"PAR1"):
        return _parquet_rows(content, wanted)
    return _json_rows(content, wanted) if begin.startswith(b"{") else _csv_rows(content, wanted, unsplit)


def _place(names: Sequence[str], name: str) -> int | None:
    """Where a column stands: under its exact name, else whatever the case."""
    if name in names:
        return names.index(name)
    return next((place for place, other in enumerate(names) if other.casefold() == name.casefold()), None)


def _parquet_rows(content: Path, wanted: Sequence[str]) -> Iterator[_Row]:
    with pq.ParquetFile(content) as opened:
        names = opened.schema_arrow.names
        found = [_place([name.strip() for name in names], name) for name in wanted]
        columns = [None if place is None else names[place] for place in found]
        batches = opened.iter_batches(columns=[name for name in columns if name is not None])
        rows = itertools.chain.from_iterable(_batch_rows(batch, columns) for batch in batches)
        yield from (_Row(number, *cells) for number, cells in enumerate(rows, 1))


def _batch_rows(batch: pa.RecordBatch, columns: Sequence[str | None]) -> Iterator[tuple[object, ...]]:
    nothing = itertools.repeat(None, batch.num_rows)
    return zip(*(nothing if name is None else _column_cells(batch.column(name)) for name in columns), strict=True)


def _column_cells(column: pa.Array) -> Sequence[object]:
    """The values of a column; a float of few bits as the shortest text that names it, not as the double beside it."""
    cells: list[Any] = column.to_pylist()
    narrow = _NARROW.get(str(column.type))
    return cells if narrow is None else [None if cell is None else str(narrow(cell)) for cell in cells]


def _json_rows(content: Path, wanted: Sequence[str]) -> Iterator[_Row]:
    with content.open(encoding="utf-8-sig", errors="replace", newline=None) as stream:
        lines = ((number, _members(line)) for number, line in enumerate(stream, 1))
        yield from (_Row(number, *_cells(members, wanted)) for number, members in lines if members is not None)


def _members(line: str) -> dict[str, object] | None:
    """None where it is blank or refused by the first reader: a row that it accepted would be missed in the sum."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _cells(members: Mapping[str, object], wanted: Sequence[str]) -> Iterator[object]:
    names = list(members)
    places = (_place(names, name) for name in wanted)
    return (None if place is None else members[names[place]] for place in places)


def _csv_rows(content: Path, wanted: Sequence[str], unsplit: Collection[int]) -> Iterator[_Row]:
    csv.field_size_limit(_WIDEST_FIELD)
    lines = _Lines(content, unsplit)
    rows = csv.reader(lines)
    names = next(row for row in rows if any(cell.strip() for cell in row))
    lines.taken()
    places = [_place([name.strip() for name in names], name) for name in wanted]
    for row in rows:
        if row and (len(row) > 1 or row[0].strip()):
            yield _Row(lines.taken(), *(None if place is None else row[place] for place in places))
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
