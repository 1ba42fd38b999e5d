"""Which way an amount moved, decided once for title, cell and sentence of every page."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

FLAT_RATIO: Final = Decimal("0.05")
LEAST_BASE_USD: Final = Decimal(1000)


def direction(now: Decimal | None, before: Decimal | None, materiality: Decimal, least_base: Decimal) -> str | None:
    """up, down or flat; not_meaningful on a base that is too small, zero or negative; nothing where one is unknown.

    Flat is a change under 5 % or below `materiality`: 100 → 104 is flat, 100 → 106 is up, and with a materiality of 10
    it is flat again.
    """
    if now is None or before is None:
        return None
    change = now - before
    if before <= 0 or before < least_base:
        return "flat" if now == before else "not_meaningful"
    if abs(change) < FLAT_RATIO * before or abs(change) < materiality:
        return "flat"
    return "up" if change > 0 else "down"
