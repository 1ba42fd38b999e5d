"""Times in UTC that all look alike are read by their digits, several times faster than with care."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT

_SHAPE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.(?P<decimals>\d{1,9}))?(?P<offset>Z|\+00:00)?", re.ASCII
)
_FIRST: Final = date(1000, 1, 1)
_MICRO: Final = 1_000_000
_DECIMALS: Final = 6
_PLACES: Final = {"hour": (11, 23), "minute": (14, 59), "second": (17, 59)}


def plain_times(cells: pl.Series, zone: str) -> pl.Series | None:
    """The moments, if all cells are UTC in one shape and none of them needs a second look; times are in `zone`."""
    first = next((cell for cell in cells.head(1)), None)
    shape = _SHAPE.fullmatch(first) if first is not None else None
    if shape is None or (shape["offset"] is None and zone != "UTC"):
        return None
    alike = "^" + re.sub(r"\d", "[0-9]", re.escape(first or "")) + "$"
    if not cells.str.contains(alike).all():
        return None
    parts = pl.DataFrame({"cell": cells}).select(_parts(shape["decimals"] or ""))
    if parts["day"].null_count() > cells.null_count() or not _on_the_clock(parts):
        return None
    return parts.select(_moment().alias(cells.name))[cells.name]


def _parts(decimals: str) -> list[pl.Expr]:
    cell, kept = pl.col("cell"), min(len(decimals), _DECIMALS)
    numbers = [cell.str.slice(begin, 2).cast(pl.Int64).alias(name) for name, (begin, _) in _PLACES.items()]
    fraction = cell.str.slice(20, kept).cast(pl.Int64) * 10 ** (_DECIMALS - kept) if kept else pl.lit(0)
    return [cell.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).alias("day"), *numbers, fraction.alias("micro")]


def _on_the_clock(parts: pl.DataFrame) -> bool:
    has_plain_years = (parts["day"].drop_nulls() >= _FIRST).all()
    return has_plain_years and all((parts[name].drop_nulls() <= most).all() for name, (_, most) in _PLACES.items())


def _moment() -> pl.Expr:
    minutes = (pl.col("day").cast(pl.Int64) * 24 + pl.col("hour")) * 60 + pl.col("minute")
    return ((minutes * 60 + pl.col("second")) * _MICRO + pl.col("micro")).cast(INSTANT)
