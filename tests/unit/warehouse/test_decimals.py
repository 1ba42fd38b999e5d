"""Money is exact to the 12th decimal, and every other text has its reason."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from warehouse.sources.casts.decimals import Amounts, money, quantity


def read(*cells: str | None) -> Amounts:
    return money(pl.Series(cells, dtype=pl.String))


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("7.00", "7"),
        ("+5", "5"),
        ("007.50", "7.5"),
        ("1.5E-7", "0.00000015"),
        ("1e3", "1000"),
        ("2.5e+2", "250"),
        ("6.266090E-12", "0.000000000006"),  # 6.26609 units of 10^-12
        ("0.123456789012", "0.123456789012"),
        ("1.5000000000000000", "1.5"),  # zeros beyond the 12th decimal are free
        ("1.500000000000000000000000", "1.5"),  # also beyond the 18th
        ("9007199254740993.000000000001", "9007199254740993.000000000001"),  # no double holds this
        ("99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"),
        ("0e99999999", "0"),
    ],
)
def test_a_decimal_is_the_amount_it_says(cell: str, amount: str) -> None:
    assert read(cell).values.to_list() == [Decimal(amount)]
    assert read(cell).reasons.to_list() == [None]


@pytest.mark.parametrize(
    ("cell", "amount", "residual"),
    [
        ("0.0000000000005", "0", "5e-13"),  # half way between 0 and 1 unit: to the even one, 0
        ("0.0000000000015", "0.000000000002", "-5e-13"),  # half way between 1 and 2: to 2, half a unit too much
        ("0.000000000000500001", "0.000000000001", "-4.99999e-13"),
        ("-0.0000000000005", "0", "-5e-13"),
        ("1.000000000000000001", "1", "1e-18"),
    ],
)
def test_decimals_beyond_the_twelfth_are_rounded_half_even_and_kept_as_residual(
    cell: str, amount: str, residual: str
) -> None:
    amounts = read(cell)
    assert amounts.values.to_list() == [Decimal(amount)]
    assert amounts.rounded_away(pl.Series([True])) == Decimal(residual)


def test_minus_zero_is_zero() -> None:
    assert [f"{value:f}" for value in read("-0", "-0.000", "-1e-13").values] == ["0.000000000000"] * 3


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("NaN", "non_finite"),
        ("inf", "non_finite"),
        ("-Infinity", "non_finite"),
        ("7,50", "bad_decimal"),
        ("1,234.50", "bad_decimal"),
        ("$7.00", "bad_decimal"),
        ("7.00 USD", "bad_decimal"),
        ("(7.00)", "bad_decimal"),
        ("7-", "bad_decimal"),
        ("1_000", "bad_decimal"),
        ("0x10", "bad_decimal"),
        ("N/A", "bad_decimal"),
        ("1e", "bad_decimal"),
        (".", "bad_decimal"),
        ("-.e1", "bad_decimal"),
        ("٧", "bad_decimal"),
        ("1 000", "bad_decimal"),
        ("100000000000000000000000000", "overflow"),  # 10^26
        ("99999999999999999999999999.9999999999995", "overflow"),  # rounds up to 10^26
        ("1e9999999", "overflow"),
        ("9" * 5000, "overflow"),
        ("1e99999999999999999999", "overflow"),
        ("0." + "1" * 39, "precision_loss"),  # 39 decimals
        ("1e-9999999", "precision_loss"),
    ],
)
def test_what_is_no_amount_has_its_reason(cell: str, reason: str) -> None:
    assert read(cell).reasons.to_list() == [reason]
    assert read(cell).values.to_list() == [None] or reason == "precision_loss"


def test_a_cell_that_says_nothing_is_null_without_a_reason() -> None:
    amounts = read("", "NULL", "null", None, "  ")
    assert amounts.values.null_count() == 5
    assert amounts.reasons.null_count() == 5


def test_a_quantity_drops_what_lies_beyond_the_twelfth_decimal() -> None:
    amounts = quantity(pl.Series(["0.3333333333333333333333", "N/A", "NaN", "12 h"]))
    assert amounts.values.to_list() == [Decimal("0.333333333333"), None, None, None]
    assert amounts.reasons.to_list() == [None, None, None, "bad_decimal"]


def test_what_rounding_took_is_half_even_at_the_18th_decimal_before_anything_is_added() -> None:
    # Each residual is half of the 18th decimal: up to an even one, down from an odd one, so that cuts change no sum.
    cells = pl.Series(
        ["0.0000000000000000015", "0.0000000000000000025", "0.0000000000000000005", "-0.0000000000000000015"]
    )
    amounts = money(cells)
    every = pl.Series([True] * 4)
    apart = [amounts.rounded_away(pl.Series([place == row for place in range(4)])) for row in range(4)]

    assert apart == [Decimal("2e-18"), Decimal("2e-18"), Decimal(0), Decimal("-2e-18")]
    assert amounts.rounded_away(every) == sum(apart)
