"""What page A says of scope: what the ledger holds, what the pages count of it, and which rules take the rest out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from templates import formats
from templates.pages.index import Ref
from templates.pages.night import Night, Row
from templates.typesetting.line_count import shortened
from templates.typesetting.typeface import printable

MOST_RULES: Final = 8
RULE_LIMIT: Final = 72


@dataclass(frozen=True)
class RuleRow:
    """What one rule takes out, ready to print."""

    rule: str
    matches: str
    cost: str


@dataclass(frozen=True)
class CurrencyScope:
    """One currency: in scope, out of scope by rule, and the ledger as their sum."""

    currency: str
    inside: Ref
    rules: tuple[RuleRow, ...]
    outside: Ref
    ledger: Ref

    @property
    def adds_up(self) -> bool:
        """Whether what is in scope and what is not are the ledger, to the last digit."""
        return self.inside.value + self.outside.value == self.ledger.value


def scopes(night: Night) -> tuple[CurrencyScope, ...]:
    """Each currency of which something is out of scope; empty where nothing is."""
    return tuple(_scopes(night))


def _scopes(night: Night) -> Iterator[CurrencyScope]:
    rows = [row for row in night.tables["scope"].to_dicts() if row["rule"] is not None]
    for currency in sorted({row["currency"] for row in rows}):
        ours = sorted((row for row in rows if row["currency"] == currency), key=_rank)
        inside, outside, ledger = (night.index[f"{name}_{currency}"] for name in ("in_scope", "out_scope", "ledger"))
        yield CurrencyScope(formats.name(currency, 3), inside, tuple(_rules(ours)), outside, ledger)


def _rank(row: Row) -> tuple[Decimal, str]:
    return -abs(Decimal(row["billed_cost"])), row["rule"]


def _rules(rows: list[Row]) -> Iterator[RuleRow]:
    """The largest rules; one line keeps the sum of the others."""
    for row in rows[:MOST_RULES]:
        matches = f"{row['field']} = {row['pattern']}" if row["field"] else ""
        yield RuleRow(row["rule"], shortened(printable(matches), RULE_LIMIT), formats.plain(row["billed_cost"], 2))
    rest = rows[MOST_RULES:]
    if rest:
        total = sum((Decimal(row["billed_cost"]) for row in rest), Decimal(0))
        yield RuleRow(f"{len(rest):,} other rules", "", formats.plain(total, 2))
