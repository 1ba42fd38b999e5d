"""CSV: records split over whole columns; the rows that are not clean go the long way and come out the same."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.sources.decode.column_mapping import ColumnMapping, Layout, cleaned, find
from warehouse.sources.decode.csv_joining import RecordJoiner
from warehouse.sources.decode.csv_plain import plain_text
from warehouse.sources.decode.csv_splitting import Dialect
from warehouse.sources.decode.text_batch import Sheet, refused_rows
from warehouse.sources.decode.text_blocks import TextBlock, text_blocks
from warehouse.sources.reader_protocol import RejectedFile

_TAIL: Final = 1 << 16
_HEADER_START: Final = 32
_BLANK: Final = "blank"
_LINE_END: Final = r"\r\n|\r|\n"


def csv_sheets(content: Path, layout: Layout) -> Iterator[Sheet]:
    """The rows of a CSV file below its header.

    Raises:
        RejectedFile: empty_file, encoding, bad_quote, limit, missing_column or duplicate_column.
    """
    dialect = Dialect(layout.separator, '"' if layout.quoting == "doubled" else "")
    header, below = _header(text_blocks(content), dialect)
    names = cleaned(header)
    mapping = find(names, layout)
    wanted = [position for position, name in enumerate(names) if name in {*mapping.taken.values(), *mapping.unmapped}]
    columns, joiner = _Columns(dialect, names, tuple(wanted)), RecordJoiner(dialect, len(names))
    for block in below:
        cells = columns.plain_cells(block) if joiner.is_between_records else None
        if cells is not None:
            yield Sheet(_locations(block.first_line, cells.height), cells, mapping, is_printable=True)
        else:
            yield from columns.sheets(joiner.records(block.lines()), mapping)
    yield from columns.sheets(joiner.last_records(), mapping)


def last_line_is_open(content: Path) -> bool:
    """Whether the last line says something and has no end."""
    with content.open("rb") as stream:
        stream.seek(max(content.stat().st_size - _TAIL, 0))
        tail = stream.read()
    return bool(re.split(rb"[\r\n]", tail)[-1].strip())


def _header(blocks: Iterator[TextBlock], dialect: Dialect) -> tuple[list[str], Iterable[TextBlock]]:
    """The fields of the first line that is not blank, and the lines behind it."""
    for block in blocks:
        lines = block.lines()
        spoken = lines["text"].str.strip_chars() != ""
        if not spoken.any():
            continue
        position = int(spoken.arg_max() or 0)
        text, is_utf8 = lines.item(position, "text"), lines.item(position, "is_utf8")
        if not is_utf8:
            raise RejectedFile("encoding", "the header is not UTF-8; export the file as UTF-8")
        fields = dialect.fields(text)
        if fields is None:
            raise RejectedFile("bad_quote", "a quote in the header is opened and not closed")
        rest = block.below(lines, position)
        return fields, itertools.chain((rest,) if rest.content else (), blocks)
    raise RejectedFile("empty_file", "the file holds white space only")


def _locations(first_line: int, height: int) -> pl.Series:
    lines = pl.int_range(first_line, first_line + height, eager=True)
    return lines.to_frame("line").select(pl.format("line {}", "line").alias("location"))["location"]


@dataclass(frozen=True)
class _Columns:
    """The columns of a file by name, and the places of those that are wanted."""

    dialect: Dialect
    names: Sequence[str]
    wanted: tuple[int, ...]

    def plain_cells(self, block: TextBlock) -> pl.DataFrame | None:
        """The wanted cells of a block in which nothing is to be explained, else None.

        Plain is a block of which every line is one record of the right width, in UTF-8, its quotes where they belong,
        without control characters, and none says what the header says.
        """
        is_odd = any(self.dialect.separator in name for name in self.names)
        text = None if is_odd else plain_text(block.content, self.dialect, len(self.names))
        if text is None:
            return None
        cells = self._split(text)
        return None if self._may_repeat_header(cells) else cells

    def _may_repeat_header(self, cells: pl.DataFrame) -> bool:
        """Whether a row says what the header says in every wanted column; as _is_header, over cells."""
        for name in cells.columns:
            folded = pl.select(_folded(pl.lit(name))).item()
            cells = cells.filter(_folded(pl.col(name).fill_null("")) == folded)
            if cells.is_empty():
                return False
        return True

    def sheets(self, rows: pl.DataFrame | None, mapping: ColumnMapping) -> Iterator[Sheet]:
        """Records become cells, refusals and blank lines."""
        if rows is not None and not rows.is_empty():
            yield self._sheet(rows, mapping)

    def _sheet(self, rows: pl.DataFrame, mapping: ColumnMapping) -> Sheet:
        judged = self._judged(rows).with_columns(pl.format("line {}", "line").alias("location"))
        good = judged.filter(pl.col("reason").is_null())
        bad = judged.filter(pl.col("reason").is_not_null() & (pl.col("reason") != _BLANK))
        ends = pl.col("text").str.count_matches(_LINE_END)
        lines = pl.when(ends > 0).then(pl.format("{} lines", ends + 1))
        refused = refused_rows(bad.with_columns(pl.col("text").alias("raw"), lines.alias("detail")))
        blank = rows.height - good.height - bad.height
        return Sheet(good["location"], self._cells(good["text"]), mapping, refused, blank)

    def _judged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`text` in a form that splits cleanly, and in `reason` why it must not be split, if so."""
        separator = pl.col("skeleton").str.count_matches(self.dialect.separator, literal=True)
        shaped = rows.with_columns(self._skeleton().alias("skeleton")).with_columns(
            (separator + 1).cast(pl.Int64).alias("width"),
            self._is_crooked().alias("is_crooked"),
            pl.lit(value=False).alias("is_broken"),
            self._is_header(rows["text"]).alias("is_header"),
        )
        straight = self._straightened(shaped) if shaped["is_crooked"].any() else shaped
        return straight.select("line", "text", _reason(len(self.names)).alias("reason"))

    def _skeleton(self) -> pl.Expr:
        """The record with a lone quote for every quoted field: what is left of separators parts the fields."""
        quote = re.escape(self.dialect.quote)
        quoted = f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}"
        return pl.col("text").str.replace_all(quoted, self.dialect.quote) if quote else pl.col("text")

    def _is_crooked(self) -> pl.Expr:
        """A quote stands where a field neither begins nor ends, or has no partner."""
        quote, separator = re.escape(self.dialect.quote), re.escape(self.dialect.separator)
        is_amid = pl.col("skeleton").str.contains(f"[^{separator}]{quote}|{quote}[^{separator}]")
        is_odd = pl.col("text").str.count_matches(self.dialect.quote, literal=True) % 2 == 1
        return is_amid | is_odd if quote else pl.lit(value=False)

    def _straightened(self, shaped: pl.DataFrame) -> pl.DataFrame:
        """The few crooked records field by field, quoted anew."""
        crooked = shaped.filter(pl.col("is_crooked"))
        split = [self.dialect.fields(text) for text in crooked["text"]]
        anew = crooked.with_columns(
            pl.Series(
                "text",
                [
                    text if fields is None else self.dialect.record(fields)
                    for text, fields in zip(crooked["text"], split, strict=True)
                ],
            ),
            pl.Series("width", [len(fields or ()) for fields in split], dtype=pl.Int64),
            pl.Series("is_broken", [fields is None for fields in split]),
        )
        return pl.concat([shaped.filter(~pl.col("is_crooked")), anew]).sort("line")

    def _is_header(self, texts: pl.Series) -> pl.Series:
        """Whether a record says what the header says, white space, quotes and case apart."""
        text, rows = pl.col("text"), texts.to_frame("text")
        joined = pl.Series("text", [self.dialect.separator.join(self.names)])
        header = joined.to_frame().select(_folded(text)).item()
        begins = pl.lit(header).str.starts_with(_folded(text.str.head(_HEADER_START)))
        alike = rows.select(begins.alias("is_header"))["is_header"]
        return alike & rows.select(_folded(text) == header).to_series() if alike.any() else alike

    def _cells(self, texts: pl.Series) -> pl.DataFrame:
        """The wanted fields of records that are known to split cleanly."""
        if texts.is_empty():
            return pl.DataFrame(schema={self.names[position]: pl.String() for position in self.wanted})
        cells = self._split(_lines(texts))
        if cells.height != texts.len():
            raise AssertionError(f"{texts.len()} records were split into {cells.height} rows")
        return cells

    def _split(self, text: bytes) -> pl.DataFrame:
        """The wanted fields of every line, under the names of the header."""
        cells = pl.read_csv(
            text,
            has_header=False,
            separator=self.dialect.separator,
            quote_char=self.dialect.quote or None,
            infer_schema=False,
            new_columns=[f"column_{position}" for position in range(len(self.names))],
            columns=list(self.wanted),
        )
        return cells.rename({f"column_{position}": self.names[position] for position in self.wanted})


def _lines(texts: pl.Series) -> bytes:
    """The texts below one another, without a detour over objects."""
    ended = (texts + "\n").to_arrow(compat_level=pl.CompatLevel.oldest())
    return bytes(ended.buffers()[2])


def _reason(width: int) -> pl.Expr:
    return (
        pl.when(~pl.col("text").str.contains(r"\S"))
        .then(pl.lit(_BLANK))
        .when(~pl.col("is_utf8"))
        .then(pl.lit("encoding"))
        .when("is_broken")
        .then(pl.lit("bad_quote"))
        .when("is_header")
        .then(pl.lit("header_repeat"))
        .when(pl.col("width") < width)
        .then(pl.lit("short_row"))
        .when(pl.col("width") > width)
        .then(pl.lit("long_row"))
    )


def _folded(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r'["\s\x{FEFF}]', "").str.to_lowercase()
