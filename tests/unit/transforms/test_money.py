"""The exact split: allocation rules, section 1."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import largest_remainder
from transforms.largest_remainder import SIDE_BY_SIDE
from transforms.money import MONEY, divided, split, times_rate


def shares(whole: int, *weights: int) -> list[int]:
    count = len(weights)
    parts = pl.DataFrame(
        {"group": [0] * count, "weight": weights, "amount": [whole] * count},
        schema={"group": pl.UInt32, "weight": pl.Int128, "amount": pl.Int128},
    )
    return split(parts, group="group", weight="weight", amounts=["amount"])["amount"].to_list()


def test_one_unit_each_goes_to_the_largest_remainders() -> None:
    # 100·1 div 7 = 14 rest 2, 100·2 div 7 = 28 rest 4, 100·4 div 7 = 57 rest 1: 99 are given, rest 4 takes the last
    assert shares(100, 1, 2, 4) == [14, 29, 57]


def test_equal_remainders_are_served_in_the_order_of_the_list() -> None:
    # 100 div 3 = 33 rest 1 each: the first takes the one unit that is left
    assert shares(100, 1, 1, 1) == [34, 33, 33]
    assert shares(5, 1, 1, 1) == [2, 2, 1]


def test_a_credit_is_split_like_its_absolute_value() -> None:
    assert shares(-100, 1, 1, 1) == [-34, -33, -33]


def test_a_weight_of_zero_gets_nothing() -> None:
    assert shares(10, 0, 3, 0) == [0, 10, 0]


def test_nothing_is_split_into_nothing() -> None:
    assert shares(0, 1, 2) == [0, 0]


def test_amounts_near_the_limit_of_128_bits_are_split_exactly() -> None:
    # (10³⁸ − 1) = 3 · 33…33 exactly
    assert shares(10**38 - 1, 1, 1, 1) == [(10**38 - 1) // 3] * 3


def test_weights_beyond_the_limit_of_128_bits_are_split_in_python_integers() -> None:
    # 7·2⁶⁵ div 3·2⁶⁵ = 2 rest ⅓, 7·2·2⁶⁵ div 3·2⁶⁵ = 4 rest ⅔: the larger rest takes the last unit
    assert shares(7, 2**65, 2 * 2**65) == [2, 5]


def test_weights_whose_square_128_bits_do_not_hold_are_split_exactly_too() -> None:
    # a remainder of total - 1 times a weight of total - 1 is 1.8 · 10³⁸, more than 2¹²⁷ = 1.7 · 10³⁸
    total = 13_500_000_000_000_000_000
    assert shares(total - 1, total - 1, 1) == by_hand(total - 1, [total - 1, 1])


def test_equal_remainders_of_groups_that_lie_mixed_are_served_in_the_order_of_the_rows() -> None:
    # one unit among a thousand equal members of each of two groups: the first row of each group takes it
    parts = pl.DataFrame({"group": [1, 0] * 1000, "weight": [1] * 2000, "amount": [1] * 2000})
    amounts = split(parts.cast({"amount": pl.Int128}), group="group", weight="weight", amounts=["amount"])["amount"]

    assert amounts.to_list() == [1, 1] + [0] * 1998


def test_of_several_groups_the_one_that_cannot_be_shared_is_named() -> None:
    parts = pl.DataFrame({"group": [0, 0, 1], "weight": [0, 1, 0], "amount": [1, 1, 1]}).cast({"amount": pl.Int128})

    with pytest.raises(ValueError, match=r"group = 1 a weight is 0 and their sum 0"):
        split(parts, group="group", weight="weight", amounts=["amount"])


def test_weights_that_sum_to_zero_are_an_error_that_names_the_group() -> None:
    with pytest.raises(ValueError, match=r"group = 0 a weight is 0 and their sum 0"):
        shares(1, 0, 0)


def test_a_negative_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="a weight is -1"):
        shares(1, -1, 2)


@pytest.mark.parametrize(
    ("amount", "rate", "product"),
    [
        ("1.5", "2", "3"),
        ("2.000000000001", "1.5", "3.000000000002"),  # 3.0000000000015
        ("0.000000000001", "0.499999999999", "0"),
        ("0.000000000001", "0.5", "0.000000000001"),
        ("-0.000000000001", "0.5", "0"),  # half up is towards plus
        ("-0.000000000001", "0.500000000001", "-0.000000000001"),
        ("12345678901234567890123.25", "4", "49382715604938271560493"),
    ],
)
def test_an_amount_at_a_rate_is_rounded_half_up_at_twelve_decimals(amount: str, rate: str, product: str) -> None:
    row = pl.DataFrame({"cost": [Decimal(amount)], "rate": [Decimal(rate)]}, schema={"cost": MONEY, "rate": MONEY})

    assert row.select(times_rate("cost")).item() == Decimal(product)


@given(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2**62), st.integers(0, 2**70)), min_size=1).filter(any),
)
def test_a_split_adds_up_and_is_off_by_less_than_one_unit(whole: int, weights: list[int]) -> None:
    found = shares(whole, *weights)

    assert sum(found) == whole
    assert all(
        abs(share * sum(weights) - whole * weight) < sum(weights) for share, weight in zip(found, weights, strict=True)
    )


def by_hand(whole: int, weights: list[int]) -> list[int]:
    """Allocation rules, section 1, in whole numbers of any size."""
    total = sum(weights)
    found = [abs(whole) * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(abs(whole) * weights[place] % total), place))
    for place in by_remainder[: abs(whole) - sum(found)]:
        found[place] += 1
    return [share if whole >= 0 else -share for share in found]


GROUP = st.tuples(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.one_of(
        st.lists(st.integers(0, 2**50), min_size=1, max_size=5),
        st.lists(st.integers(0, 4), min_size=1, max_size=3 * SIDE_BY_SIDE),
        st.integers(1, 3 * SIDE_BY_SIDE).map(lambda size: [7] * size),
    ).filter(any),
)


@given(st.lists(GROUP, min_size=1, max_size=6), st.randoms(use_true_random=False), st.sampled_from([1, 10, 1000]))
def test_many_groups_at_once_are_split_as_each_by_hand(
    groups: list[tuple[int, list[int]]], dice: Random, worthwhile: int
) -> None:
    order = [number for number, (_, weights) in enumerate(groups) for _ in weights]
    dice.shuffle(order)
    members = [iter(weights) for _, weights in groups]
    rows = [(number, next(members[number]), groups[number][0], -groups[number][0]) for number in order]
    parts = pl.DataFrame(
        rows, schema={"group": pl.UInt32, "weight": pl.Int64, "cost": pl.Int128, "credit": pl.Int128}, orient="row"
    )
    with patch.object(largest_remainder, "WORTHWHILE", worthwhile):
        found = split(parts, group="group", weight="weight", amounts=["cost", "credit"])

    assert found["group"].to_list() == order
    for number, (whole, weights) in enumerate(groups):
        own = found.filter(pl.col("group") == number)
        assert own["cost"].to_list() == by_hand(whole, weights)
        assert own["credit"].to_list() == by_hand(-whole, weights)


def test_equal_amounts_and_no_rows_at_all_are_split_too() -> None:
    schema = {"group": pl.UInt32, "weight": pl.Int64, "billed": pl.Int128, "effective": pl.Int128}
    parts = pl.DataFrame([(0, 1, 5, 5), (0, 1, 5, 5)], schema=schema, orient="row")

    assert split(parts, group="group", weight="weight", amounts=["billed", "effective"]).rows() == [
        (0, 1, 3, 3),
        (0, 1, 2, 2),
    ]
    assert split(parts.clear(), group="group", weight="weight", amounts=["billed", "effective"]).rows() == []


@given(st.lists(st.integers(0, 10**18), min_size=2, max_size=20), st.sampled_from([10**6, 10**9, 3_600_000_000]))
def test_a_quotient_is_the_same_in_a_frame_of_one_row_and_of_many(wholes: list[int], by: int) -> None:
    many = pl.DataFrame({"n": wholes}, schema={"n": pl.Int128})
    alone = [many[place : place + 1].select(divided(pl.col("n"), by)).item() for place in range(len(wholes))]

    assert many.select(divided(pl.col("n"), by))["n"].to_list() == alone == [float(whole) / by for whole in wholes]
