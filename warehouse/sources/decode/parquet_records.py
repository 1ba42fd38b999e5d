"""Parquet: rows as text, page checksums verified, limits taken from the footer before a page is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.sources.decode.column_mapping import ColumnMapping, Layout, cleaned, find
from warehouse.sources.decode.parquet_text import written
from warehouse.sources.decode.staging_copy import MAX_RATIO, RATIO_COUNTS_FROM
from warehouse.sources.decode.text_batch import Sheet, refused_rows
from warehouse.sources.reader_protocol import RejectedFile

MAGIC: Final = b"PAR1"
MOST_ROWS: Final = 50_000_000
MOST_GROUPS: Final = 100_000
BATCH: Final = 1 << 16
TYPED_BATCH: Final = 1 << 17
_REPEATING: Final = 4  # bytes a row
_LONG: Final = 1 << 12  # bytes; shorter cells repeat by the million in honest files


def parquet_sheets(content: Path, layout: Layout) -> Iterator[Sheet]:
    """The rows of a Parquet file.

    Raises:
        RejectedFile: truncated, checksum, unreadable, limit, missing_column or duplicate_column.
    """
    _refuse_cut(content)
    try:
        with pq.ParquetFile(content, page_checksum_verification=True) as footer:
            _refuse_large(footer.metadata, content.stat().st_size)
            texts = _texts(footer.schema_arrow)
        with pq.ParquetFile(content, page_checksum_verification=True, read_dictionary=texts) as opened:
            yield from _sheets(opened, layout, content.stat().st_size)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _sheets(opened: pq.ParquetFile, layout: Layout, size: int) -> Iterator[Sheet]:
    fields = opened.schema_arrow.names
    names = cleaned(fields)
    mapping = find(names, layout)
    wanted = {*mapping.taken.values(), *mapping.unmapped}
    columns = {field: name for field, name in zip(fields, names, strict=True) if name in wanted}
    first, long_bytes = 1, 0
    for batch in opened.iter_batches(BATCH, columns=list(columns)):
        sheet = _sheet(batch, columns, mapping, first)
        first += batch.num_rows
        long_bytes += _long_bytes(sheet.cells)
        _refuse_bomb(long_bytes, size)
        yield sheet


def typed_batches(content: Path, layout: Layout) -> Iterator[pa.RecordBatch]:
    """The columns of the layout that a Parquet file has, under their canonical names and as they are typed.

    Raises:
        RejectedFile: as parquet_sheets.
    """
    _refuse_cut(content)
    try:
        with pq.ParquetFile(content, page_checksum_verification=True) as footer:
            _refuse_large(footer.metadata, content.stat().st_size)
            repeating = _repeating_texts(footer)
        with pq.ParquetFile(content, page_checksum_verification=True, read_dictionary=repeating) as opened:
            fields = opened.schema_arrow.names
            mapping = find(cleaned(fields), layout)
            columns = {name: fields[cleaned(fields).index(column)] for name, column in mapping.taken.items()}
            for batch in opened.iter_batches(TYPED_BATCH, columns=list(dict.fromkeys(columns.values()))):
                yield pa.record_batch({name: batch.column(field) for name, field in columns.items()})
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _repeating_texts(footer: pq.ParquetFile) -> list[str]:
    """Text columns that take few bytes a row, since their texts repeat: each is looked at once."""
    texts, metadata = set(_texts(footer.schema_arrow)), footer.metadata
    sizes: Counter[str] = Counter()
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        columns = (row_group.column(number) for number in range(row_group.num_columns))
        sizes.update({column.path_in_schema: column.total_uncompressed_size for column in columns})
    return [name for name in texts if sizes[name] < _REPEATING * max(metadata.num_rows, 1)]


def _sheet(batch: pa.RecordBatch, columns: Mapping[str, str], mapping: ColumnMapping, first: int) -> Sheet:
    location = pl.Series("location", [f"row {first + row}" for row in range(batch.num_rows)])
    cells = pl.DataFrame([written(batch.column(field)).alias(name) for field, name in columns.items()])
    lost = [cells[name].is_null() & ~_is_null(batch.column(field)) for field, name in columns.items()]
    is_broken = pl.DataFrame(lost).select(pl.any_horizontal(pl.all())).to_series()
    refused = refused_rows(location.filter(is_broken).to_frame().with_columns(pl.lit("encoding").alias("reason")))
    floats = frozenset(name for field, name in columns.items() if pa.types.is_floating(batch.column(field).type))
    return Sheet(location.filter(~is_broken), cells.filter(~is_broken), mapping, refused, floats=floats)


def _is_null(cells: pa.Array) -> pl.Series:
    return pl.Series(cells.is_null())


def _texts(schema: pa.Schema) -> list[str]:
    """Text columns, read with each text once: a small file may say a long text a million times."""
    return [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]


def _long_bytes(cells: pl.DataFrame) -> int:
    lengths = (cells[name].str.len_bytes() for name in cells.columns)
    return sum(int(length.filter(length > _LONG).cast(pl.Int64).sum()) for length in lengths)


def _refuse_cut(content: Path) -> None:
    with content.open("rb") as stream:
        begins = stream.read(len(MAGIC)) == MAGIC
        stream.seek(max(content.stat().st_size - len(MAGIC), 0))
        ends = stream.read() == MAGIC
    if not begins:
        raise RejectedFile("unreadable", "the content is no Parquet, though the name says so")
    if not ends or content.stat().st_size < 3 * len(MAGIC):
        raise RejectedFile("truncated", "the Parquet footer is missing; deliver the file again")


def _refuse_large(footer: pq.FileMetaData, size: int) -> None:
    if footer.num_rows > MOST_ROWS or footer.num_row_groups > MOST_GROUPS:
        size_of_file = f"{footer.num_rows} rows in {footer.num_row_groups} row groups"
        raise RejectedFile("limit", f"{size_of_file}; {MOST_ROWS} rows in {MOST_GROUPS} groups are read at most")
    _refuse_bomb(sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)), size)


def _refuse_bomb(unpacked: int, size: int) -> None:
    if unpacked > RATIO_COUNTS_FROM and unpacked > MAX_RATIO * size:
        raise RejectedFile("limit", f"expands above {MAX_RATIO}:1 ({unpacked} bytes out of {size})")


def _damaged(error: Exception) -> RejectedFile:
    if isinstance(error, OSError) and error.errno:
        raise error
    reason = "checksum" if "CRC" in str(error) or "checksum" in str(error) else "unreadable"
    return RejectedFile(reason, f"the Parquet data is damaged: {str(error)[:200]}; deliver the file again")
