"""Times that all look alike are read by their digits; any other goes the long way, to the same moment."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.sources.casts import Cast
from warehouse.sources.instants import Clock, instants

_SHAPE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.(?P<decimals>\d{1,9}))?(?P<offset>Z|\+00:00)?", re.ASCII
)
_MICRO: Final = 1_000_000
_DECIMALS: Final = 6
_PLACES: Final = {"hour": (11, 23), "minute": (14, 59), "second": (17, 59)}


def moments(cells: pl.Series, clock: Clock) -> Cast:
    """As `warehouse.sources.instants.instants`, several times faster where every cell is written like the first."""
    plain = _plain(cells, clock)
    if plain is None:
        return instants(cells, clock)
    return Cast(plain, pl.Series("reason", [None], dtype=pl.String).new_from_index(0, len(cells)))


def _plain(cells: pl.Series, clock: Clock) -> pl.Series | None:
    """The moments, if all cells are UTC in one shape and none of them needs a second look."""
    first = next((cell for cell in cells.head(1)), None)
    shape = _SHAPE.fullmatch(first) if first is not None else None
    if shape is None or (shape["offset"] is None and clock.zone != "UTC"):
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
    return all((parts[name].drop_nulls() <= most).all() for name, (_, most) in _PLACES.items())


def _moment() -> pl.Expr:
    minutes = (pl.col("day").cast(pl.Int64) * 24 + pl.col("hour")) * 60 + pl.col("minute")
    return ((minutes * 60 + pl.col("second")) * _MICRO + pl.col("micro")).cast(INSTANT)
