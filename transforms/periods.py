"""Time as half-open spans in UTC, cut into hours and days."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from warehouse.schemas.columns import INSTANT

Grain = Literal["hour", "day"]

MICROSECONDS: Final[dict[Grain, int]] = {"hour": 3_600_000_000, "day": 86_400_000_000}
DAYS_PER_MONTH: Final = 365.25 / 12
HOURS_PER_MONTH: Final = 24 * DAYS_PER_MONTH
"""Of a mean month, a twelfth of a year."""


def cut(spans: pl.DataFrame, grain: Grain, *, start: str, end: str) -> pl.DataFrame:
    """Each span once per UTC hour or day that it touches, earliest first.

    Adds `bucket`, the start of the hour or day, and `microseconds`, the time of the span in it. A span without
    length stands in one bucket with one microsecond, so that a charge at an instant keeps its whole cost.
    """
    width = MICROSECONDS[grain]
    first, last = pl.col("_start") // width, (pl.max_horizontal("_end", pl.col("_start") + 1) - 1) // width
    inside = pl.min_horizontal("_end", (pl.col("bucket") + 1) * width) - pl.max_horizontal(
        "_start", pl.col("bucket") * width
    )
    return (
        spans.with_columns(pl.col(start).dt.epoch("us").alias("_start"), pl.col(end).dt.epoch("us").alias("_end"))
        .with_columns(pl.int_ranges(first, last + 1).alias("bucket"))
        .explode("bucket")
        .with_columns(pl.max_horizontal(inside, 1).alias("microseconds"))
        .with_columns((pl.col("bucket") * width).cast(INSTANT))
        .drop("_start", "_end")
    )


def is_open(day: pl.Expr, *, since: str = "valid_from", until: str = "valid_to") -> pl.Expr:
    """Whether a dated row holds on `day`: since is inclusive, until is exclusive, an empty end is open."""
    return (pl.col(since).is_null() | (pl.col(since) <= day)) & (pl.col(until).is_null() | (day < pl.col(until)))
