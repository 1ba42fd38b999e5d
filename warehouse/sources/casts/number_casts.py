"""Text becomes whole counts and measured numbers."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY_SCALE
from warehouse.sources.casts.casts import NULLS, Cast, null_if, refused
from warehouse.sources.casts.decimals import quantity

LARGEST_SIZE: Final = 1e15
"""GPUs, GPU-seconds or seconds that a run may state: far above what there is, far below what 128 bits cannot count."""

_UNIT: Final = 10**MONEY_SCALE
_LARGEST: Final = 2**63 - 1
_PLAIN: Final = r"^[0-9]{1,18}$"
_NON_FINITE: Final = {
    "nan": "nan",
    "inf": "inf",
    "+inf": "inf",
    "-inf": "-inf",
    "infinity": "inf",
    "+infinity": "inf",
    "-infinity": "-inf",
}
_FLOAT: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def count(cells: pl.Series) -> Cast:
    """Whole numbers, zero or more; 12.0 and 1e3 are whole. Reason: bad_count; an empty cell gives null."""
    texts = null_if(cells)
    if texts.str.contains(_PLAIN).all():
        return Cast(texts.cast(pl.Int64), refused(texts.is_null() & texts.is_not_null(), "bad_count"))
    amounts = quantity(texts)
    units = pl.DataFrame({"units": amounts.values.to_physical(), "reason": amounts.reasons})
    whole = units.select(
        pl.when(
            pl.col("reason").is_null()
            & (pl.col("units") >= 0)
            & (pl.col("units") % _UNIT == 0)
            & (pl.col("units") // _UNIT <= _LARGEST)
        )
        .then(pl.col("units") // _UNIT)
        .cast(pl.Int64)
        .alias("count")
    ).to_series()
    return Cast(whole, refused(whole.is_null() & texts.is_not_null(), "bad_count"))


def size(cells: pl.Series) -> Cast:
    """Numbers of zero or more that may be fractions, as GPUs may be. Reason: bad_count."""
    texts, numbers = null_if(cells), measure(cells)
    is_bad = (numbers.values.is_null() & texts.is_not_null()) | ~is_size(numbers.values)
    reasons = refused(is_bad.fill_null(value=False), "bad_count")
    return Cast(pl.select(pl.when(reasons.is_null()).then(numbers.values)).to_series(), reasons)


def is_size(values: pl.Series) -> pl.Series:
    """Whether each value can be a number of GPUs, or of the seconds for which they are held; null where unknown."""
    return values.is_between(0, LARGEST_SIZE) & values.is_finite()


def measure(cells: pl.Series) -> Cast:
    """Measured numbers; NaN and infinities are kept as such. Reason: bad_decimal."""
    texts = null_if(cells, tuple(word for word in NULLS if word != "NaN"))
    spelled = texts.str.to_lowercase().replace(_NON_FINITE)
    is_number = spelled.str.contains(_FLOAT) | spelled.is_in(["nan", "inf", "-inf"])
    rows = pl.DataFrame({"spelled": spelled, "is_number": is_number})
    values = rows.select(pl.when("is_number").then("spelled").cast(pl.Float64, strict=False)).to_series()
    return Cast(values, refused(values.is_null() & texts.is_not_null(), "bad_decimal"))
