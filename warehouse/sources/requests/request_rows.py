"""Requests as readers land them, with the columns that follow from others filled in."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.landed import Requests
from warehouse.sources.casts.casts import composed

_NAMES: Final = ("model", "deployment", "team", "tenant", "task")
_COUNTS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "units_micro")


def request_rows(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    """The rows as `landed.requests`; what is absent is unknown, a duration follows from start and end."""
    filled = rows.with_columns(pl.lit(source).alias("source"), pl.col("start_at").dt.date().alias("day"))
    elapsed = (pl.col("end_at") - pl.col("start_at")).dt.total_microseconds()
    stated = pl.col("duration_us") if "duration_us" in rows.columns else pl.lit(None, dtype=pl.Int64)
    is_counted = [pl.col(name).is_not_null() for name in _COUNTS if name in rows.columns]
    is_open = pl.col("is_cache_open") if "is_cache_open" in rows.columns else pl.lit(value=False).alias("is_cache_open")
    names = [composed(rows[name]) for name in _NAMES if name in rows.columns]
    return Requests.frame(
        filled.with_columns(*names).with_columns(
            pl.coalesce(stated, elapsed).alias("duration_us"),
            pl.any_horizontal(*is_counted).alias("has_usage"),
            is_open,
        )
    )
