"""Whether cached and written tokens stand inside the input or beside it: one word means either, by writer and age.

What decides, first that applies: the setting `cached` of the source; a name that a convention defines; a proof, which
is any row of the source and model whose parts exceed its input; the documented habit of the writer. A proof may stand
in another file, so that a row that only its writer's habit places inside stays open until all files have landed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from warehouse.sources.source import Source

PARTS: Final = pl.col("cached_input_tokens").fill_null(0) + pl.col("cache_write_tokens").fill_null(0)
"""Tokens of a row that were read from or written to a cache."""

BESIDE: Final = "beside"
INSIDE: Final = "inside"


class Accounted(NamedTuple):
    """Tokens of one request: all that was given, the parts of it read from and written to a cache.

    `is_open` says that a proof elsewhere may still show the parts to stand beside the input.
    """

    input: int | None
    cached: int | None
    written: int | None
    is_open: bool
    is_mismatch: bool = False


def stated(source: Source) -> str | None:
    """What the settings say: inside, beside, or nothing."""
    return source.options.get("cached")


def accounted(
    given: int | None, cached: int | None, written: int | None, *, by_rule: str | None, habit: str
) -> Accounted:
    """The tokens of one request; `by_rule` is what setting or name say, `habit` what its writer is known to do."""
    parts = (cached or 0) + (written or 0)
    if not parts:
        return Accounted(given, cached, written, is_open=False)
    if (by_rule or habit) == BESIDE:
        return Accounted((given or 0) + parts, cached, written, is_open=False)
    is_open = by_rule is None and given is not None
    return Accounted(given, cached, written, is_open, is_mismatch=not is_open and parts > (given or 0))


def with_accounting(
    rows: pl.DataFrame, by_rule: str | None, is_beside_by_habit: pl.Expr, is_stated: pl.Series
) -> pl.DataFrame:
    """The same for rows of a table with input_tokens, cached_input_tokens and cache_write_tokens, as whole numbers.

    Adds `is_cache_open`, and changes the input where the parts stand beside it; an input that is not stated but added
    up from its parts has all of them.
    """
    has_parts = (PARTS > 0) & pl.lit(is_stated)
    if by_rule is None:
        is_beside, is_open = is_beside_by_habit, ~is_beside_by_habit & has_parts
    else:
        is_beside, is_open = pl.lit(by_rule == BESIDE), pl.lit(value=False)
    added = pl.when(is_beside & has_parts).then(pl.col("input_tokens") + PARTS)
    return rows.with_columns(added.otherwise("input_tokens").alias("input_tokens"), is_open.alias("is_cache_open"))
