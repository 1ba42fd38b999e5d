"""A month beside the month before it, like with like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from transforms.economics.months import night_month

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DAYS_OF_ANY_MONTH = 31


def beside_the_month_before(
    rows: pl.DataFrame, entity: Sequence[str], sums: Mapping[str, pl.Expr], settings: pl.DataFrame
) -> pl.DataFrame:
    """One month and entity with each sum as `before_…` and `after_…`; absent sides are 0.

    `rows` have a column `day`. A running month is compared with the same days of the month before. The first month
    after nothing at all has no row: there is nothing to compare it with.
    """
    month = pl.col("day").dt.truncate("1mo").alias("month")
    after = rows.with_columns(month)
    before = rows.with_columns(month.dt.offset_by("1mo").alias("month")).filter(_is_comparable(settings))
    key = ["month", *entity]
    sides = [
        side.group_by(key).agg(expression.alias(f"{word}_{name}") for name, expression in sums.items())
        for side, word in ((before, "before"), (after, "after"))
    ]
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True, nulls_equal=True)
    return both.with_columns(pl.col(f"{word}_{name}").fill_null(0) for name in sums for word in ("before", "after"))


def compared_days(settings: pl.DataFrame) -> int:
    """Days of the night's month that are compared: all of them once it is over."""
    night = settings["as_of"].item()
    is_over = night == pl.select(pl.lit(night).dt.month_end()).item()
    return _DAYS_OF_ANY_MONTH if is_over else int(night.day)


def _is_comparable(settings: pl.DataFrame) -> pl.Expr:
    night = night_month(settings)
    is_like = (pl.col("month") < night) | (pl.col("day").dt.day() <= compared_days(settings))
    return (pl.col("month") <= night) & is_like
