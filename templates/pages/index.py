"""The numbers of the night by name, each with the K-nn under which page B lists it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl


@dataclass(frozen=True)
class Ref:
    """One number and its reference."""

    k: str
    number_id: str
    value: Decimal
    title: str
    unit: str
    relation: str
    fields: str
    filter: str
    query: str
    input_digest: str

    def __bool__(self) -> bool:
        """Zero is a number: a reference is there."""
        return True


class Index:
    """All references of one report."""

    def __init__(self, numbers: pl.DataFrame) -> None:
        """Reads the table of numbers in its order."""
        rows = numbers.sort("position").iter_rows(named=True)
        columns = set(Ref.__dataclass_fields__) - {"k"}
        self._refs = {
            row["number_id"]: Ref(k=f"K-{row['position']:02d}", **{name: row[name] for name in columns}) for row in rows
        }

    def __getitem__(self, number_id: str) -> Ref:
        """The reference of a number that the page cannot do without.

        Raises:
            LookupError: The table of numbers has no such row.
        """
        if number_id not in self._refs:
            message = f"reports.numbers has no row {number_id!r} (it has {len(self._refs)} rows)"
            raise LookupError(f"{message}; add it in transforms/reports or do not print it")
        return self._refs[number_id]

    def get(self, number_id: str) -> Ref | None:
        """The reference of a number that may be unknown."""
        return self._refs.get(number_id)

    def __iter__(self) -> Iterator[Ref]:
        """All references in reading order."""
        return iter(self._refs.values())
