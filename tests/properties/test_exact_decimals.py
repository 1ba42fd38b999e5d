"""Any decimal text means what Python's decimal arithmetic says it means."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from warehouse.sources.casts.decimals import money

EXACT = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN)
UNIT = Decimal("1e-12")

digits = st.text("0123456789", min_size=1, max_size=34)
half_way = st.sampled_from(["", "5", "50", "500001", "4999999", "0000005"])


@st.composite
def numbers(draw: st.DrawFn) -> str:
    decimals = draw(st.one_of(st.just(""), st.just("."), digits.map(".{}".format)))
    tail = draw(half_way) if len(decimals) > 1 else ""
    exponent = draw(
        st.one_of(st.just(""), st.integers(-45, 45).map("e{}".format), st.integers(-20, 9).map("E{:+}".format))
    )
    whole = draw(st.one_of(digits, st.just(""))) if decimals and decimals != "." else draw(digits)
    return draw(st.sampled_from(["", "+", "-"])) + whole + decimals + tail + exponent


def expected(cell: str) -> tuple[Decimal | None, str | None, Decimal]:
    exact = EXACT.create_decimal(cell)
    if exact and exact.adjusted() >= 26:
        return None, "overflow", Decimal(0)
    if exact and -int(EXACT.normalize(exact).as_tuple().exponent) > 38:
        return None, "precision_loss", Decimal(0)
    rounded = exact.quantize(UNIT, ROUND_HALF_EVEN, EXACT)
    if abs(rounded) >= Decimal(10**26):
        return None, "overflow", Decimal(0)
    return rounded, None, EXACT.subtract(exact, rounded)


@given(st.lists(numbers(), min_size=1, max_size=30))
def test_money_is_the_decimal_rounded_half_even_with_its_exact_residual(cells: list[str]) -> None:
    amounts = money(pl.Series(cells))
    for place, cell in enumerate(cells):
        value, reason, residual = expected(cell)
        assert amounts.reasons[place] == reason, cell
        if reason is None:
            assert amounts.values[place] == value, cell
            assert EXACT.scaleb(Decimal(int(amounts.residuals[place])), Decimal(-38)) == residual, cell
