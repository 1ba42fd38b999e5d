"""What the year has cost to date and where it will land, each beside its plan."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.reports.month_costs import plans
from transforms.reports.reported_spend import in_scope

if TYPE_CHECKING:
    from collections.abc import Mapping


class Year:
    """The year of the month reported: what it has cost, what was planned, and what is still to come."""

    def __init__(
        self, row: Mapping[str, Any], daily_spend: pl.DataFrame, budgets: pl.DataFrame, spend_outlook: pl.DataFrame
    ) -> None:
        self.start = date(row["month"].year, 1, 1)
        self.row = row
        cost = pl.col("effective_usd").sum()
        spend = in_scope(daily_spend).filter(pl.col("charge_date").dt.year() == self.start.year)
        self.months = dict(spend.filter(pl.col("charge_date") <= row["as_of"]).group_by("month").agg(cost).iter_rows())
        self.plans = dict(plans(budgets).iter_rows())
        open_months = spend_outlook.filter(
            pl.col("grain") == "month", pl.col("method").is_not_null(),
            pl.col("period_start").dt.year() == self.start.year,
        )  # fmt: skip
        self.ahead = dict(open_months.select("period_start", "total_usd_p50").iter_rows())

    def to_date(self) -> Decimal | None:
        """Cost from the first of January to the last day reported."""
        until = [amount for month, amount in self.months.items() if month <= self.row["month"]]
        return sum(until, Decimal(0)) if until else None

    def to_date_plan(self) -> Decimal | None:
        """Plan of the same months; nothing where one of them has none."""
        return self._plan([month for month in self.months if month <= self.row["month"]])

    def landing(self) -> Decimal | None:
        """The whole year: months that are over as they were, the open ones at the median of the forecast."""
        if date(self.start.year, 12, 1) not in self.ahead:
            return None
        over = [amount for month, amount in self.months.items() if month not in self.ahead]
        return sum(over, Decimal(0)) + sum((amount for amount in self.ahead.values() if amount is not None), Decimal(0))

    def landing_plan(self) -> Decimal | None:
        """Plan of all months that the landing counts."""
        return self._plan([*self.months, *self.ahead]) if self.landing() is not None else None

    def _plan(self, months: list[date]) -> Decimal | None:
        plan_by_month = {month: self.plans.get(month) for month in months}
        return (
            None
            if not plan_by_month or None in plan_by_month.values()
            else sum((one for one in plan_by_month.values() if one), Decimal(0))
        )
