"""Which columns of a bill a second reader adds up, and under which names they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.source import Source

CURRENCY: Final = "currency"
Spellings = tuple[str, ...]
Totals = dict[str, tuple[Decimal, Decimal]]
"""Currency -> billed and effective cost of all rows."""


@dataclass(frozen=True)
class ControlColumns:
    """What the record of a bill's format says of its sums: the canonical names of its costs in its layout.

    Columns of one cost are added before they are rounded. A cost without columns is stated by none, but follows from
    others, so that it is not compared. `members` are a nested column of objects and the member of each that is added to
    both costs, rounded by itself.
    """

    layout: Callable[[Source], Layout]
    billed: tuple[str, ...]
    effective: tuple[str, ...] = ()
    members: tuple[str, str] | None = None

    def of(self, source: Source) -> StatedColumns:
        """The columns under the names that a file of the source may have for them."""
        layout = self.layout(source)
        names = layout.names
        return StatedColumns(
            currency=names[CURRENCY],
            billed=tuple(names[name] for name in self.billed),
            effective=tuple(names[name] for name in self.effective),
            members=None if self.members is None else (names[self.members[0]], self.members[1]),
            constant=layout.constants.get(CURRENCY),
        )


@dataclass(frozen=True)
class StatedColumns:
    """The columns of one source's files that state its sums, each by the names it may have, best first."""

    currency: Spellings
    billed: tuple[Spellings, ...]
    effective: tuple[Spellings, ...]
    members: tuple[Spellings, str] | None = None
    constant: str | None = None

    @property
    def wanted(self) -> tuple[Spellings, ...]:
        """All of them: currency, billed, effective, and the nested column."""
        return (self.currency, *self.billed, *self.effective, *([self.members[0]] if self.members else []))
