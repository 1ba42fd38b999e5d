"""Rows of a bill with one identity: one of them counts, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import polars as pl

from warehouse.sources.casts.decimals import DEEPEST
from warehouse.sources.decode.spill_buffer import HeldRows

_SHORT: Final = 15
"""Hexadecimal digits of a key by which candidates are found; whole keys decide."""


@dataclass(frozen=True)
class Removed:
    """The rows that are taken out, and what rounding took from them."""

    rows: pl.DataFrame
    residual: Decimal = Decimal(0)


@dataclass
class Duplicates:
    """The keys of all rows kept so far, eight bytes each, and what rounding took from each row."""

    keys: list[pl.Series] = field(default_factory=list)
    residuals: list[pl.Series] = field(default_factory=list)

    def see(self, rows: pl.DataFrame, residuals: pl.Series) -> None:
        """Note some more rows, in the order in which they are kept."""
        self.keys.append(rows["dimension_hash"].str.head(_SHORT).str.to_integer(base=16))
        self.residuals.append(residuals)

    def removed_from(self, kept: HeldRows) -> Removed:
        """Take all rows but one of each identity out of what was put aside; of unequal ones the least content stays."""
        candidates = pl.concat(self.keys).is_duplicated() if self.keys else pl.Series([], dtype=pl.Boolean)
        if not candidates.any():
            return Removed(kept.empty)
        residuals = pl.concat(self.residuals).filter(candidates).alias("residual")
        rows = _all_rows(kept).filter(candidates).with_columns(residuals)
        ordered = rows.sort("dimension_hash", "content_hash", "location")
        removed = ordered.filter(~pl.col("dimension_hash").is_first_distinct())
        for path in kept.paths:
            without(pl.read_parquet(path, glob=False), removed).write_parquet(path, compression="lz4")
        residual = Decimal(int(removed["residual"].sum())).scaleb(-DEEPEST)
        return Removed(removed.drop("residual"), residual)


def without(rows: pl.DataFrame, removed: pl.DataFrame) -> pl.DataFrame:
    """The rows less those that are taken out."""
    return rows.join(removed.select("location"), on="location", how="anti", maintain_order="left")


def _all_rows(kept: HeldRows) -> pl.DataFrame:
    return pl.concat([kept.empty, *(pl.read_parquet(path, glob=False) for path in kept.paths), *kept.held])
