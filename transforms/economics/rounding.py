"""Columns of estimates: what is not finite is unknown, money is rounded to millionths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from warehouse.schemas.columns import MONEY

if TYPE_CHECKING:
    from transforms.economics.forecast.smoothing import Floats

_MILLIONTHS: Final = 10**6


def estimate(name: str, values: Floats) -> pl.Series:
    """A column of floats; infinity and not a number are NULL."""
    return pl.Series(name, np.where(np.isfinite(values), values, np.nan), dtype=pl.Float64).fill_nan(None)


def estimated_usd(name: str, values: Floats) -> pl.Series:
    """A column of money from estimates."""
    return estimate(name, values).to_frame().select(usd_from(name)).to_series()


def usd_from(column: str) -> pl.Expr:
    """A float as money, rounded to a millionth; an estimate has no more digits."""
    return ((pl.col(column) * _MILLIONTHS).round().cast(pl.Int128) * _MILLIONTHS).reinterpret(dtype=MONEY)
