"""Money as whole numbers: counts of 10⁻¹² of a currency, split among parts without losing a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from transforms.largest_remainder import Groups, shares
from warehouse.schemas.columns import MONEY

UNIT: Final = 10**12
EXACT_WEIGHT_LIMIT: Final = 13 * 10**18
"""Sums of weights below this can be squared in 128 bits; larger ones are split in Python integers."""


def units(column: str) -> pl.Expr:
    """An exact amount as its count of 10⁻¹²."""
    return pl.col(column).to_physical()


def amount(column: str) -> pl.Expr:
    """A count of 10⁻¹² as an exact amount."""
    return pl.col(column).reinterpret(dtype=MONEY)


def times_rate(column: str) -> pl.Expr:
    """The column times `rate`, rounded half up at 12 decimals.

    The amount is cut in two so that no product leaves 128 bits.
    """
    amount = pl.col(column).to_physical()
    rate = pl.col("rate").to_physical()
    unit = pl.lit(UNIT, dtype=pl.Int128)
    whole, fraction = amount // unit, amount % unit
    return (whole * rate + (fraction * rate + unit // 2) // unit).reinterpret(dtype=MONEY)


def divided(whole: pl.Expr, by: int) -> pl.Expr:
    """Whole numbers divided into floating point, to the same bit in every frame.

    By a literal, Polars divides a frame of one row and a frame of many rows in two ways whose last bits differ.
    """
    return whole / (whole * 0 + by)


def split(parts: pl.DataFrame, *, group: str, weight: str, amounts: Sequence[str]) -> pl.DataFrame:
    """Each part's share of the amounts of its group, by largest remainder; equal remainders in the order of the rows.

    Args:
        parts: rows in the order of the list within each group; every row of a group repeats the whole amounts.
        group: the column that says which rows share one amount.
        weight: whole numbers, zero or more, with a positive sum in every group.
        amounts: columns of 128-bit integers, each split by itself with the same weights.

    Raises:
        ValueError: weights of a group that are negative or sum to zero.
    """
    if not parts.get_column(group).is_sorted():
        ordered = parts.with_row_index("_row").sort(group, maintain_order=True)
        return split(ordered, group=group, weight=weight, amounts=amounts).sort("_row").drop("_row")
    if parts.is_empty():
        return parts
    weights, groups = parts.get_column(weight).cast(pl.Int128), Groups.of(parts.get_column(group))
    sums = groups.sums(weights)
    if (weights < 0).any() or (sums <= 0).any():
        raise ValueError(_unsharable(parts.get_column(group), weights, sums.gather(groups.numbers())))
    largest = sums.max()
    if isinstance(largest, int) and largest >= EXACT_WEIGHT_LIMIT:
        return parts.with_columns(_shares_in_python(parts, weights, groups, amount) for amount in amounts)
    split_amounts = shares(parts.select(pl.col(amounts).abs()), weights, groups)
    return parts.with_columns(
        pl.when(pl.col(amount) < 0)
        .then(0 - pl.lit(split_amounts[amount]))
        .otherwise(split_amounts[amount])
        .alias(amount)
        for amount in amounts
    )


def _shares_in_python(parts: pl.DataFrame, weights: pl.Series, groups: Groups, amount: str) -> pl.Series:
    wholes = parts.get_column(amount)
    amounts: list[int] = []
    for start, size in zip(groups.starts.tolist(), groups.sizes.tolist(), strict=True):
        amounts += _largest_remainder(wholes[start], weights[start : start + size].to_list())
    return pl.Series(amount, amounts, dtype=pl.Int128)


def _largest_remainder(amount: int, weights: list[int]) -> list[int]:
    whole, sign, total = abs(amount), -1 if amount < 0 else 1, sum(weights)
    divided = [divmod(whole * weight, total) for weight in weights]
    left_over = whole - sum(quotient for quotient, _ in divided)
    by_remainder = sorted(range(len(weights)), key=lambda position: (-divided[position][1], position))
    favoured = set(by_remainder[:left_over])
    return [sign * (quotient + (position in favoured)) for position, (quotient, _) in enumerate(divided)]


def _unsharable(group: pl.Series, weights: pl.Series, sums: pl.Series) -> str:
    wrong = pl.DataFrame([group.alias("group"), weights.alias("weight"), sums.alias("sum")]).filter(
        (pl.col("sum") <= 0) | (pl.col("weight") < 0)
    )
    row = wrong.row(0, named=True)
    return (
        f"weights cannot share an amount: in the group {group.name} = {row['group']!r} a weight is {row['weight']} and "
        f"their sum {row['sum']}; weights are zero or more and at least one is positive"
    )
