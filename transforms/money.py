"""Money as whole numbers: counts of 10⁻¹² of a currency, split among parts without losing a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY

EXACT_WEIGHT_LIMIT: Final = 13 * 10**18
"""Sums of weights below this can be squared in 128 bits; larger ones are split in Python integers."""


def units(column: str) -> pl.Expr:
    """An exact amount as its count of 10⁻¹²."""
    return pl.col(column).to_physical()


def amount(column: str) -> pl.Expr:
    """A count of 10⁻¹² as an exact amount."""
    return pl.col(column).reinterpret(dtype=MONEY)


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
    weighed = parts.with_columns(pl.col(weight).cast(pl.Int128).alias("_weight")).with_columns(
        pl.col("_weight").sum().over(group).alias("_sum")
    )
    _require_shares(weighed, group)
    largest = weighed.get_column("_sum").max()
    if isinstance(largest, int) and largest >= EXACT_WEIGHT_LIMIT:
        shared = weighed.with_columns(_shares_in_python(weighed, group, amount) for amount in amounts)
    else:
        shared = weighed.with_columns(_shares(amount, group) for amount in amounts)
    return shared.drop("_weight", "_sum")


def _shares(amount: str, group: str) -> pl.Expr:
    """|A|·w div W without leaving 128 bits: with |A| = q·W + r it is q·w + r·w div W, and r·w < W²."""
    whole = pl.col(amount).abs()
    scaled = whole % pl.col("_sum") * pl.col("_weight")
    quotient = whole // pl.col("_sum") * pl.col("_weight") + scaled // pl.col("_sum")
    left_over = whole - quotient.sum().over(group)
    rank = (scaled % pl.col("_sum")).rank("ordinal", descending=True).over(group)
    share = quotient + (rank <= left_over).cast(pl.Int128)
    return pl.when(pl.col(amount) < 0).then(0 - share).otherwise(share).alias(amount)


def _shares_in_python(weighed: pl.DataFrame, group: str, amount: str) -> pl.Series:
    rows = zip(weighed[group], weighed["_weight"], weighed["_sum"], weighed[amount], strict=True)
    members: dict[object, list[tuple[int, int, int, int]]] = {}
    for position, (key, weight, total, whole) in enumerate(rows):
        members.setdefault(key, []).append((position, weight, total, whole))
    shares = [0] * weighed.height
    for group_rows in members.values():
        for position, share in _largest_remainder(group_rows):
            shares[position] = share
    return pl.Series(amount, shares, dtype=pl.Int128)


def _largest_remainder(rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    whole = abs(rows[0][3])
    sign = -1 if rows[0][3] < 0 else 1
    divided = [(position, *divmod(whole * weight, total)) for position, weight, total, _ in rows]
    left_over = whole - sum(quotient for _, quotient, _ in divided)
    favoured = {position for position, _, _ in sorted(divided, key=lambda row: (-row[2], row[0]))[:left_over]}
    return [(position, sign * (quotient + (position in favoured))) for position, quotient, _ in divided]


def _require_shares(weighed: pl.DataFrame, group: str) -> None:
    wrong = weighed.filter((pl.col("_sum") <= 0) | (pl.col("_weight") < 0))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise ValueError(
            f"weights cannot share an amount: in the group {group} = {row[group]!r} a weight is {row['_weight']} and "
            f"their sum {row['_sum']}; weights are zero or more and at least one is positive"
        )
