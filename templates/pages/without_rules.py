"""Page 1 before a rule is written: the largest names of bills, runs and requests, and the file to write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import polars as pl

from templates import formats
from templates.pages.night import Night, Row

MOSTLY: Final = Decimal("0.5")
"""The part of the month's cost without a rule from which on the names say more than the accounts."""
MOST: Final = 4
SECONDS: Final = 3600


@dataclass(frozen=True)
class Named:
    """One quantity: its heading, its largest names with amounts, and what to write so that they count."""

    quantity: str
    items: tuple[str, ...]
    remedy: str


def without_rules(night: Night) -> tuple[Named, ...]:
    """A column each of cost, GPU time and tokens, where no rule reaches at least half of the month's cost.

    Amounts are of all that was delivered, as they are in `reports.unmatched`; names in several currencies have their
    share of the source alone.
    """
    figures = night.now
    share = None if figures["named_ratio"] is None else 1 - figures["named_ratio"]
    if share is None or share < MOSTLY:
        return ()
    return tuple(_columns(night))


def _columns(night: Night) -> Iterator[Named]:
    currencies = night.tables["scope"]["currency"].unique().to_list()
    money = formats.Money(currencies[0]) if len(currencies) == 1 else None
    for quantity in ("cost", "gpu_seconds", "tokens"):
        rows = night.tables["unmatched"].filter(pl.col("quantity") == quantity, pl.col("amount") > 0)
        largest = rows.sort("amount", "source", "name", descending=[True, False, False]).head(MOST).to_dicts()
        if largest:
            items = tuple(night.say("summary", "unruled", _facts(row, money)) for row in largest)
            yield Named(quantity, items, night.say("summary", "remedy", quantity))


def _facts(row: Row, money: formats.Money | None) -> SimpleNamespace:
    """A name and its amount in the unit people count in: money, GPU-hours or tokens."""
    amount = {
        "cost": money.short(row["amount"]) if money else "",
        "gpu_seconds": formats.plain(row["amount"] / SECONDS) + " GPU-hours",
        "tokens": formats.tokens(row["amount"]) + " tokens",
    }[row["quantity"]]
    return SimpleNamespace(name=row["name"], source=row["source"], amount=amount, share=row["share_ratio"])
