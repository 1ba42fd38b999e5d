"""Exact splitting of amounts over the rows of a group that several columns name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from transforms.money import amount, split, units

if TYPE_CHECKING:
    from collections.abc import Sequence


def shared_out(
    parts: pl.DataFrame, *, group: Sequence[str], order: Sequence[str], amounts: Sequence[str]
) -> pl.DataFrame:
    """Each row's part of every amount of its group, by column `weight`; the parts of a group add up to the amount.

    `amounts` stand on each row of their group; `weight` is a whole number, not negative, and positive somewhere in the
    group. Equal remainders go by `order`. 10 over weights 1, 1, 1 is 3.333333333334, 3.333333333333, 3.333333333333.
    """
    rows = parts.sort(*group, *order, nulls_last=True).with_columns(
        pl.struct(group).rank("dense").alias("_group"), *(units(name).alias(name) for name in amounts)
    )
    shares = split(rows, group="_group", weight="weight", amounts=amounts)
    return shares.with_columns(amount(name).alias(name) for name in amounts).drop("_group", "weight")
