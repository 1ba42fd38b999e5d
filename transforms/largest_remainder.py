"""Largest remainder in 128 bits for many groups at once: those of one size side by side, where it pays; else sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

RowNumbers = npt.NDArray[np.int64]

SIDE_BY_SIDE: Final = 32
"""Groups up to this size are compared pair by pair, which costs the square of it."""

WORTHWHILE: Final = 10_000
"""Rows of groups of one size for which it pays to lay them side by side."""


@dataclass(frozen=True)
class Groups:
    """Consecutive rows that share one amount: where each group begins, and how many rows it has."""

    starts: RowNumbers
    sizes: RowNumbers

    @classmethod
    def of(cls, group: pl.Series) -> Groups:
        """The runs of equal values."""
        sizes = group.rle().struct.field("len").to_numpy().astype(np.int64)
        return cls(np.cumsum(sizes) - sizes, sizes)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Groups:
        """Some of the groups."""
        return Groups(self.starts[which], self.sizes[which])

    def numbers(self) -> RowNumbers:
        """Which group each row is in."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def rows(self) -> RowNumbers:
        """The numbers of all rows, group after group."""
        shift: RowNumbers = self.starts - (np.cumsum(self.sizes) - self.sizes)
        return np.arange(self.sizes.sum()) + np.repeat(shift, self.sizes)

    def sums(self, values: pl.Series) -> pl.Series:
        """The sum of the values of each group."""
        running = pl.concat([pl.Series(values.name, [0], dtype=pl.Int128), values.cum_sum()])
        return running.gather(self.starts + self.sizes) - running.gather(self.starts)


def shares(whole: pl.DataFrame, weights: pl.Series, groups: Groups) -> pl.DataFrame:
    """Each row's share of every column of `whole`, which repeats a group's amounts, zero or more, in all its rows."""
    twins = {name: next(other for other in whole.columns if whole[other].equals(whole[name])) for name in whole.columns}
    pieces = list(_pieces(whole.select(sorted(set(twins.values()))), weights, groups))
    row_numbers = np.concatenate([piece_rows for piece_rows, _ in pieces])
    back = np.empty_like(row_numbers)
    back[row_numbers] = np.arange(len(row_numbers))
    split_amounts = pl.concat([piece for _, piece in pieces])[back]
    return split_amounts.select(pl.col(twin).alias(name) for name, twin in twins.items())


def _pieces(whole: pl.DataFrame, weights: pl.Series, groups: Groups) -> Iterator[tuple[RowNumbers, pl.DataFrame]]:
    """The shares of many groups of one small size, and of all others, each with the numbers of its rows."""
    rows = np.bincount(groups.sizes) * np.arange(groups.sizes.max() + 1)
    worthwhile = np.flatnonzero(rows[: SIDE_BY_SIDE + 1] >= WORTHWHILE)
    for size in worthwhile:
        alike = groups.chosen(groups.sizes == size)
        row_numbers = alike.starts + np.arange(size)[:, np.newaxis]
        members = pl.DataFrame(
            [weights[member_rows].alias(f"w{member}") for member, member_rows in enumerate(row_numbers)]
        )
        yield row_numbers.reshape(-1), _side_by_side(whole[alike.starts], members)
    others = groups.chosen(~np.isin(groups.sizes, worthwhile))
    if len(others.sizes):
        yield others.rows(), _sorted(whole, weights, others)


def _side_by_side(whole: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """One row per group, one column per member; the answer has all first members, then all second ones."""
    total = pl.sum_horizontal(pl.all())
    both = pl.concat([members.with_columns(total.alias("sum")), whole], how="horizontal")
    columns = [_members_shares(both, name, members.width) for name in whole.columns]
    return pl.DataFrame(columns)


def _members_shares(both: pl.DataFrame, name: str, width: int) -> pl.Series:
    members = range(width)
    total, amount = pl.col("sum"), pl.col(name)
    whole = both.with_columns((amount // total).alias("q"), (amount % total).alias("r"))
    scaled = whole.with_columns((pl.col("r") * pl.col(f"w{one}")).alias(f"x{one}") for one in members)
    divided = scaled.with_columns((pl.col(f"x{one}") // total).alias(f"d{one}") for one in members)
    parts = divided.select(
        amount,
        *((pl.col("q") * pl.col(f"w{one}") + pl.col(f"d{one}")).alias(f"q{one}") for one in members),
        *((pl.col(f"x{one}") - pl.col(f"d{one}") * total).cast(pl.UInt64).alias(f"r{one}") for one in members),
    )
    left_over = parts.select(amount - pl.sum_horizontal(f"q{one}" for one in members)).to_series()
    ranks = _ranks(np.stack([parts[f"r{one}"].to_numpy() for one in members]))
    is_favoured = ranks < left_over.cast(pl.Int64).to_numpy()
    amounts = parts.select(pl.col(f"q{one}") + pl.Series(is_favoured[one]).cast(pl.Int128) for one in members)
    return pl.concat([amounts[f"q{one}"].alias(name) for one in members])


def _ranks(remainders: npt.NDArray[np.uint64]) -> npt.NDArray[np.int16]:
    """How many members of its group go before each: a larger remainder, or an equal one that stands earlier."""
    ranks = np.zeros(remainders.shape, dtype=np.int16)
    for earlier, later in combinations(range(len(remainders)), 2):
        is_before = remainders[earlier] >= remainders[later]
        ranks[later] += is_before
        ranks[earlier] += ~is_before
    return ranks


def _sorted(whole: pl.DataFrame, weights: pl.Series, groups: Groups) -> pl.DataFrame:
    """All rows of the groups below one another; those with the largest remainders are found by sorting."""
    rows = groups.rows()
    together = Groups(np.cumsum(groups.sizes) - groups.sizes, groups.sizes)
    own = weights.gather(rows).alias("w")
    sums = together.sums(own)
    both = whole[rows].with_columns(own, sums.gather(together.numbers()).alias("sum"))
    return pl.DataFrame([_sorted_shares(both, name, together, sums) for name in whole.columns])


def _sorted_shares(both: pl.DataFrame, name: str, groups: Groups, sums: pl.Series) -> pl.Series:
    total, amount, scaled = pl.col("sum"), pl.col(name), pl.col("scaled")
    parts = both.with_columns((amount % total * pl.col("w")).alias("scaled")).select(
        (amount // total * pl.col("w") + scaled // total).alias("q"), (scaled % total).alias("r")
    )
    # the remainders of a group add up to a whole number of its sums: so many units are left over
    left_over = (groups.sums(parts["r"]) // sums).cast(pl.Int64).to_numpy()
    order = np.lexsort((~parts["r"].cast(pl.UInt64).to_numpy(), groups.numbers()))
    is_favoured = np.empty(len(order), dtype=np.bool_)
    is_favoured[order] = _within(groups) < np.repeat(left_over, groups.sizes)
    return parts.select((pl.col("q") + pl.Series(is_favoured).cast(pl.Int128)).alias(name)).to_series()


def _within(groups: Groups) -> RowNumbers:
    return np.arange(groups.sizes.sum()) - np.repeat(groups.starts, groups.sizes)
