"""A month beside the month before it, like with like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from transforms.data_cutoff import is_compared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

_MONTH = pl.col("day").dt.truncate("1mo").alias("month")


def beside_the_month_before(
    rows: pl.DataFrame, entity: Sequence[str], sums: Mapping[str, pl.Expr], known_to: date
) -> pl.DataFrame:
    """One month and entity with each sum as `before_…` and `after_…`; absent sides are 0.

    `rows` have a column `day`. A month that is known to a day before its last is compared with the same days of the
    month before, and one of which nothing is known with none. The first month after nothing at all has no row: there is
    nothing to compare it with.
    """
    after = rows.with_columns(_MONTH).filter(is_compared(known_to))
    before = rows.with_columns(_MONTH.dt.offset_by("1mo")).filter(is_compared(known_to))
    key = ["month", *entity]
    sides = [
        side.group_by(key).agg(expression.alias(f"{word}_{name}") for name, expression in sums.items())
        for side, word in ((before, "before"), (after, "after"))
    ]
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True, nulls_equal=True)
    return both.with_columns(pl.col(f"{word}_{name}").fill_null(0) for name in sums for word in ("before", "after"))
