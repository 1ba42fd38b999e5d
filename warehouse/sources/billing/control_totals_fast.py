"""The sums of a plain bill in CSV or Parquet, column by column with Arrow: no code of the first reader takes part."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from warehouse.sources.billing.control_columns import Spellings, StatedColumns, Totals

BLOCK: Final = 8 << 20
LARGEST_CELL: Final = Decimal(10) ** 19
"""A block of cells below this cannot add up to more than an Arrow decimal of 38 digits holds."""

_MONEY: Final = pa.decimal128(38, 12)
_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_NOTHING: Final = (Decimal(0), Decimal(0))
_CODE, _BILLED = 0, 1


class _UnusualError(ValueError):
    """Something that is not plain: the rows are to be read one by one."""


def column_totals(content: Path, columns: StatedColumns) -> Totals | None:
    """Currency -> billed and effective cost of all rows; None where a cell, a row or the header is not plain.

    A cost that is stated by several columns, or by nested ones, is not plain; one of the costs may be absent.
    """
    if columns.members or len(columns.billed) > 1 or len(columns.effective) > 1:
        return None
    wanted, sums = (columns.currency, *(columns.billed or ((),)), *(columns.effective or ((),))), Totals()
    try:
        batches = _parquet_batches if _is_parquet(content) else _csv_batches
        for batch in batches(content, wanted, columns.constant):
            _add(sums, batch)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, _UnusualError):
        return None
    return sums


def _is_parquet(content: Path) -> bool:
    with content.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _parquet_batches(content: Path, wanted: Sequence[Spellings], constant: str | None) -> Iterator[pa.Table]:
    """The currency and both costs of some rows, exact; a row without one of them is not plain."""
    with pq.ParquetFile(content) as opened:
        places = _places(opened.schema_arrow.names, wanted, constant)
        columns = list(dict.fromkeys(name for name in places if name is not None))
        for batch in opened.iter_batches(columns=columns):
            if any(column.null_count for column in batch.columns):
                raise _UnusualError
            yield _exact(batch, places, constant)


def _csv_batches(content: Path, wanted: Sequence[Spellings], constant: str | None) -> Iterator[pa.Table]:
    """The currency and both costs of some rows, exact."""
    with content.open(encoding="utf-8-sig", newline="") as stream:
        places = _places(next(csv.reader(stream), []), wanted, constant)
    columns = list(dict.fromkeys(name for name in places if name is not None))
    with pa_csv.open_csv(
        content,
        read_options=pa_csv.ReadOptions(block_size=BLOCK),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        ),
    ) as opened:
        for batch in opened:
            yield _exact(batch, places, constant)


def _places(names: Sequence[str], wanted: Sequence[Spellings], constant: str | None) -> list[str | None]:
    """The columns as the file spells them."""
    stripped = [name.strip() for name in names]
    first = [next((name for name in spellings if name in stripped), None) for spellings in wanted]
    columns = [None if name is None else names[stripped.index(name)] for name in first]
    is_known = constant is not None or columns[_CODE] is not None
    if not is_known or not any(columns[_BILLED:]) or len(set(names)) < len(names):
        raise _UnusualError
    return columns


def _exact(batch: pa.RecordBatch, places: Sequence[str | None], constant: str | None) -> pa.Table:
    """A cell that is no number, or a cast that would lose a digit, is an error of Arrow."""
    costs = [_money(batch.column(name)) for name in places[_BILLED:] if name is not None]
    codes = pa.repeat(constant, batch.num_rows) if constant is not None else batch.column(places[_CODE])
    return pa.table({"currency": pc.utf8_upper(codes), "billed": costs[0], "effective": costs[-1]})


def _money(cells: pa.Array) -> pa.Array:
    amounts = (_written(cells) if pa.types.is_floating(cells.type) else cells).cast(_MONEY)
    ends = pc.min_max(amounts).as_py()
    if any(abs(end) >= LARGEST_CELL for end in ends.values()):
        raise _UnusualError
    return amounts


def _written(cells: pa.Array) -> pa.Array:
    """Binary floating point as the shortest decimals that name it."""
    return cells.cast(pa.string())


def _add(sums: Totals, rows: pa.Table) -> None:
    totals = rows.group_by("currency").aggregate([("billed", "sum"), ("effective", "sum")])
    for row in totals.to_pylist():
        before = sums.get(row["currency"], _NOTHING)
        sums[row["currency"]] = (_EXACT.add(before[0], row["billed_sum"]), _EXACT.add(before[1], row["effective_sum"]))
