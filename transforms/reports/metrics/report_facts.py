"""The facts of the night that decide which numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from transforms.reports.metrics.metric import literal


@dataclass(frozen=True)
class Night:
    """The month reported, the month before, the currency, and the tables that lists are taken from.

    `is_known` where requests and bills have told of every day reported.
    """

    as_of: date
    month: date
    period_end: date
    previous_month: date | None
    has_plan: bool
    is_known: bool
    currency: str
    tables: Mapping[str, pl.DataFrame]

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame]) -> Night:
        """The night that the tables are of."""
        row: dict[str, Any] = tables["subject"].row(0, named=True)
        columns = {name: row[name] for name in ("as_of", "month", "period_end", "previous_month", "has_plan")}
        is_known = row["known_days"] == (row["period_end"] - row["month"]).days
        return cls(**columns, is_known=is_known, currency=tables["settings"]["currency"].item(), tables=tables)

    @property
    def in_month(self) -> str:
        """The rows of daily spend that the report counts."""
        start, end = literal(self.month), literal(self.period_end)
        return f"charge_date >= {start} AND charge_date < {end} AND account <> 'out_of_scope'"

    @property
    def this_month(self) -> str:
        """The row of the month in tables of months."""
        return f"month = {literal(self.month)}"

    @property
    def both_months(self) -> str:
        """The rows of the month and of the one before."""
        return f"month IN ({literal(self.month)}, {literal(self.previous_month or self.month)})"

    def change(self, column: str) -> str:
        """This month over the month before, less one."""
        now, before = (
            f"CAST(sum(CASE WHEN month = {literal(month)} THEN {column} END) AS DOUBLE)"
            for month in (self.month, self.previous_month or self.month)
        )
        return ratio(now, before) + " - 1"


def ratio(part: str, whole: str) -> str:
    """One over another in SQL; nothing over what is not positive, which a month after a credit can be."""
    return f"{part} / NULLIF(GREATEST({whole}, 0), 0)"
