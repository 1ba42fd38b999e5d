"""Sums of exact amounts that cannot wrap around unseen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY_SCALE
from warehouse.sources.casts.casts import says_one_thing

Totals = Mapping[str, tuple[Decimal, Decimal]]
EXACT: Final = Context(prec=80)
_SAFE: Final = 2**126


def exact_sum(amounts: pl.Series) -> Decimal:
    """The sum, whatever its size: by machine integers where they surely suffice, else by unbounded ones."""
    units = amounts.drop_nulls().to_physical()
    if units.is_empty():
        return Decimal(0)
    largest = max(abs(int(units.max())), abs(int(units.min())))  # type: ignore[arg-type]  # Int128 is an int
    total = int(units.sum()) if largest * len(units) < _SAFE else sum(map(int, units))
    return Decimal(total).scaleb(-MONEY_SCALE, EXACT)


def added(first: Totals, second: Totals) -> dict[str, tuple[Decimal, Decimal]]:
    """Both together, currency by currency."""
    zero = (Decimal(0), Decimal(0))
    pairs = {currency: (first.get(currency, zero), second.get(currency, zero)) for currency in {**first, **second}}
    return {
        currency: (EXACT.add(one[0], other[0]), EXACT.add(one[1], other[1])) for currency, (one, other) in pairs.items()
    }


def negated(sums: Totals) -> dict[str, tuple[Decimal, Decimal]]:
    """Both costs with the other sign."""
    return {currency: (EXACT.minus(billed), EXACT.minus(effective)) for currency, (billed, effective) in sums.items()}


def bill_totals(rows: pl.DataFrame) -> dict[str, tuple[Decimal, Decimal]]:
    """Billed and effective cost of the rows by currency."""
    has_one = says_one_thing(rows["currency"])
    groups = [(rows["currency"][0], rows)] if has_one else [(key[0], group) for key, group in rows.group_by("currency")]
    return {
        str(currency): (exact_sum(group["billed_cost"]), exact_sum(group["effective_cost"]))
        for currency, group in groups
    }
