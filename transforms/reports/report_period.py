"""Which month the report is about."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from transforms.data_cutoff import last_known_day
from transforms.reports.reported_spend import in_scope, month_after, month_of
from warehouse.schemas.reports import Subject

LEAST_MATERIALITY: Final = Decimal(1000)
MATERIAL_SHARE: Final = Decimal("0.005")
PRELIMINARY: Final = "PRELIMINARY"


def subject(
    settings: pl.DataFrame,
    daily_spend: pl.DataFrame,
    budgets: pl.DataFrame,
    reconciliation: pl.DataFrame,
    demand_states: pl.DataFrame,
) -> pl.DataFrame:
    """The last complete month with a night of its own; where all history is younger, the running month to the night."""
    night = settings.row(0, named=True)["as_of"]
    spend = in_scope(daily_spend).filter(pl.col("charge_date") <= night)
    first = spend["charge_date"].min()
    first_day = first if isinstance(first, date) else None
    month = _month(night, first_day)
    period_end = min(month_after(month), night + timedelta(days=1))
    total = _total(spend, month, period_end)
    covered_days = max((min(last_known_day(demand_states, settings) + timedelta(days=1), period_end) - month).days, 0)
    before = month_after(month, -1)
    is_complete = period_end == month_after(month)
    row = {
        "as_of": night,
        "month": month,
        "period_end": period_end,
        "is_complete": is_complete,
        "previous_month": before if spend.filter(pl.col("month") == before).height else None,
        "first_day": first_day,
        "history_days": (night - first_day).days + 1 if first_day else 0,
        "has_plan": is_complete and budgets.filter(pl.col("month") == month).height > 0,
        "known_days": covered_days,
        "state": _state(reconciliation, month, period_end)
        if covered_days == (period_end - month).days
        else PRELIMINARY,
        "materiality_usd": max(LEAST_MATERIALITY, abs(total) * MATERIAL_SHARE),
    }
    return Subject.frame(pl.DataFrame([row], schema_overrides={"materiality_usd": pl.Decimal(38, 12)}))


def _month(night: date, first_day: date | None) -> date:
    tomorrow = night + timedelta(days=1)
    last_complete = month_after(month_of(tomorrow), -1)
    if first_day is None or month_of(first_day) > last_complete:
        return month_of(night)
    return last_complete


def _total(spend: pl.DataFrame, month: date, period_end: date) -> Decimal:
    reported = spend.filter(pl.col("charge_date") >= month, pl.col("charge_date") < period_end)
    return Decimal(reported["effective_usd"].sum() or 0)


def _state(reconciliation: pl.DataFrame, month: date, period_end: date) -> str:
    """FINAL only where a bill is there: no bill, nothing to rely on."""
    over = pl.col("billing_period_start").dt.offset_by("1mo")
    periods = reconciliation.filter(pl.col("billing_period_start") < month_after(month), over > month)
    is_settled = periods.select((pl.col("is_reconciled") & (over <= period_end)).all()).item()
    return "FINAL" if periods.height and is_settled else PRELIMINARY
