"""Sums that do not depend on the order of the rows."""

from __future__ import annotations

from typing import Final

import polars as pl

_MICROSECONDS: Final = 1_000_000


def gpu_time(column: str = "gpu_seconds") -> pl.Expr:
    """GPU time added in whole microseconds: a float sum would differ in its last digits with the order of the rows."""
    return ((pl.col(column) * _MICROSECONDS).round().cast(pl.Int64).sum() / _MICROSECONDS).alias(column)


def whole(column: str) -> pl.Expr:
    """Tokens or units added in whole thousandths, for the same reason."""
    return ((pl.col(column) * 1000).round().cast(pl.Int128).sum().cast(pl.Float64) / 1000).alias(column)
