"""Whether times were written as a clock on a wall shows them, so that a zone had to be assumed."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.sources.source import Source

FLAG: Final = "tz_assumed"
_WRITTEN: Final = r"[0-9]{4}-[0-9]{2}"
_ZONED: Final = r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)$"


def has_local_times(cells: pl.Series) -> bool:
    """Whether a time was written without offset; a number knows its origin."""
    if cells.str.ends_with("Z").all():
        return False
    return bool((cells.str.contains(_WRITTEN) & ~cells.str.contains(_ZONED)).any())


def assumptions(source: Source, *times: pl.Series) -> frozenset[str]:
    """The flag, where a local time met a source whose settings name no zone."""
    is_assumed = "timezone" not in source.options and any(has_local_times(cells) for cells in times)
    return frozenset({FLAG}) if is_assumed else frozenset()
