"""What the readers of tables hand on, whatever the file was: cells as text, and rows that could not be split."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from warehouse.sources.decode.column_mapping import ColumnMapping
from warehouse.sources.reader_protocol import NOTHING_REFUSED, REFUSED_SCHEMA


@dataclass(frozen=True)
class Sheet:
    """Some rows of a file: where they stand, their cells under their names in the file, those refused, blank ones.

    `floats` are the names of columns that held binary floating point. `is_printable`: no cell holds a control character
    but TAB, which whoever split the cells has seen already.
    """

    location: pl.Series
    cells: pl.DataFrame
    mapping: ColumnMapping
    refused: pl.DataFrame = field(default_factory=lambda: NOTHING_REFUSED)
    blank: int = 0
    floats: frozenset[str] = frozenset()
    is_printable: bool = False


def refused_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `location`, `reason` and perhaps `raw`, `detail`, `currency`, `billed_cost` in full."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit("" if name == "raw" else None)).cast(dtype).alias(name)
        for name, dtype in REFUSED_SCHEMA.items()
    )
