"""Digests of rows, over typed values: the same row gives the same digest whatever file format carried it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

import polars as pl
import polars_hash as plh

from warehouse.sources.casts.casts import says_one_thing

DIGITS: Final = 32
_NAME_ENDS: Final = "\x1f"
_CELL_ENDS: Final = "\x1e"


def row_digests(rows: pl.DataFrame) -> pl.Series:
    """SHA-256, cut to 128 bits, of the cells that say something, by column name: no order and no empty column counts.

    Control characters are refused before, so that no cell can look like two.
    """
    cells = [_cell(cells) for cells in sorted(rows.iter_columns(), key=lambda cells: cells.name)]
    pieces = itertools.chain.from_iterable(cells)
    every_row = pl.repeat("", pl.len(), dtype=pl.String)
    content = rows.select(pl.concat_str([every_row, *_joined(pieces)], ignore_nulls=True).alias("content"))
    return content.select(plh.col("content").chash.sha2_256().str.head(DIGITS).alias("digest"))["digest"]


def _cell(cells: pl.Series) -> list[str | pl.Expr]:
    """What a column adds to each row: texts that every row has, and expressions."""
    name = cells.name + _NAME_ENDS
    if cells.null_count() == len(cells):
        return []
    text = pl.col(cells.name).to_physical() if cells.dtype.is_temporal() else pl.col(cells.name)
    if says_one_thing(cells):
        value = cells.head(1).to_frame().select(pl.concat_str(text)).item()
        return [name + value + _CELL_ENDS]
    if cells.null_count() == 0:
        return [name, text, _CELL_ENDS]
    return [pl.concat_str(pl.lit(name), text, pl.lit(_CELL_ENDS))]


def _joined(pieces: Iterable[str | pl.Expr]) -> list[pl.Expr]:
    """Neighbouring texts as one: what most columns of a bill add is the same in every row."""
    runs = itertools.groupby(pieces, key=lambda piece: isinstance(piece, str))
    joined = ([pl.lit("".join(map(str, run)))] if is_text else list(run) for is_text, run in runs)
    return [piece for run in joined for piece in run if isinstance(piece, pl.Expr)]
