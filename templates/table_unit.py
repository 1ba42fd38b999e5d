"""The one unit of a table's money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from templates.formats import NBSP, UNKNOWN, Money, Quantity, decimal, rounded, signed

TABLE_UNITS: Final = (
    (Decimal(10) ** 12, Decimal(10) ** 12, "T", 2),
    (Decimal(10) ** 10, Decimal(10) ** 9, "B", 2),
    (Decimal(10) ** 9, Decimal(10) ** 6, "M", 0),
    (Decimal(10) ** 6, Decimal(10) ** 6, "M", 2),
    (Decimal(10) ** 5, Decimal(10) ** 3, "k", 0),
)
WIDE: Final = 1_000
WIDEST: Final = 100_000
AXIS_UNITS: Final = tuple((Decimal(10) ** power, Decimal(10) ** power, letter, 0) for power, letter in (
    (12, "T"), (9, "B"), (6, "M"), (3, "k"),
))  # fmt: skip


@dataclass(frozen=True)
class TableUnit:
    """The one unit of a table's money, named in its heading."""

    money: Money
    scale: Decimal
    letter: str
    places: int

    @classmethod
    def of(cls, money: Money, values: list[Decimal]) -> TableUnit:
        """Millions with two decimals as a rule; larger or smaller units where amounts would not fit or would vanish."""
        largest = max((abs(value) for value in values), default=Decimal(0))
        fitting = (unit[1:] for unit in TABLE_UNITS if largest >= unit[0])
        return cls(money, *next(fitting, (Decimal(1), "", 0)))

    @classmethod
    def of_rows(cls, money: Money, rows: Sequence[Decimal], total: Decimal) -> TableUnit:
        """The unit of the rows, without decimals where the total of many would be too wide with them."""
        unit = cls.of(money, list(rows))
        if unit.places and abs(total) >= WIDE * unit.scale:
            unit = replace(unit, places=0)
        return cls.of(money, [total]) if abs(total) >= WIDEST * unit.scale else unit

    @classmethod
    def of_axis(cls, money: Money, values: Sequence[Decimal]) -> TableUnit:
        """The unit in which the numbers of an axis stay under a thousand or so: they have room for four digits."""
        largest = max((abs(value) for value in values), default=Decimal(0))
        fitting = (unit[1:] for unit in AXIS_UNITS if largest >= unit[0])
        return cls(money, *next(fitting, (Decimal(1), "", 0)))

    @property
    def words(self) -> str:
        """The unit in a section's heading: US$ million."""
        word = {"T": " trillion", "B": " billion", "M": " million", "k": " thousand", "": ""}[self.letter]
        return f"{self.money.heading}{word}"

    @property
    def head(self) -> str:
        """The unit in a column's heading: $M."""
        return f"{self.money.symbol.strip()}{NBSP if len(self.money.symbol) > 1 and self.letter else ''}{self.letter}"

    def cell(self, value: Quantity | None, plus: str = "") -> str:
        """One amount, rounded to the decimals of the table."""
        if value is None:
            return UNKNOWN
        if not value:
            return "0"
        shown = rounded(decimal(value) / self.scale, self.places)
        return signed(f"{abs(shown):,f}", shown, plus=plus)
