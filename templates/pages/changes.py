"""The direction of a change, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from templates.formats import Quantity, decimal

FLAT_RATIO: Final = Decimal("0.05")
LEAST_BASE: Final = Decimal(1000)
Direction = Literal["up", "down", "flat", "unknown"]


@dataclass(frozen=True)
class Change:
    """Two amounts of the same thing, the later one first."""

    now: Decimal
    before: Decimal
    materiality: Decimal = Decimal(0)

    @classmethod
    def of(cls, now: Quantity | None, before: Quantity | None, materiality: Decimal = Decimal(0)) -> Change | None:
        """The change between two known amounts."""
        return None if now is None or before is None else cls(decimal(now), decimal(before), materiality)

    @property
    def amount(self) -> Decimal:
        """The difference."""
        return self.now - self.before

    @property
    def ratio(self) -> Decimal | None:
        """The difference over what was before; None on a base that is zero or negative."""
        return self.amount / self.before if self.before > 0 else None

    @property
    def direction(self) -> Direction:
        """Flat under 5 % or below materiality."""
        if self.ratio is None:
            return "unknown"
        if abs(self.ratio) < FLAT_RATIO or abs(self.amount) < self.materiality:
            return "flat"
        return "up" if self.amount > 0 else "down"

    @property
    def is_level(self) -> bool:
        """Whether there is nothing to explain: flat, or on a base without a ratio too small to matter."""
        is_small = abs(self.amount) < max(self.materiality, LEAST_BASE)
        return self.direction == "flat" or (self.direction == "unknown" and is_small)
