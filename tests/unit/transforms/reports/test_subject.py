"""Which month the report is about, and whether it is final."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.month_costs import plans
from transforms.reports.report_period import subject
from transforms.reports.top_changes import movers
from warehouse.schemas import CATALOGUE


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return CATALOGUE[name].frame(pl.DataFrame(list(rows), schema_overrides=schema)) if rows else CATALOGUE[name].empty()


def night(day: date) -> pl.DataFrame:
    return pl.DataFrame({"as_of": [day], "currency": ["USD"]})


def spend(*days: date, amount: int = 1000) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "charge_date": list(days),
            "account": "direct",
            "phase": "inference",
            "effective_usd": [Decimal(amount)] * len(days),
        },
        schema_overrides={"effective_usd": pl.Decimal(38, 12)},
    )


def bill(month: date, *, is_reconciled: bool) -> pl.DataFrame:
    return pl.DataFrame({"billing_period_start": [month], "is_reconciled": [is_reconciled]})


NO_BUDGET = CATALOGUE["budgets"].empty()
OCTOBER = date(2026, 10, 1)


def late(day: date, unseen: int) -> pl.DataFrame:
    """What the forecast knows of a bill that ends so many days before the night."""
    return pl.DataFrame({"known_on": [day + timedelta(days=1)], "quantity": ["running_usd"], "unseen_days": [unseen]})


def row_of(day: date, spent: pl.DataFrame, bills: pl.DataFrame, unseen: int = 0) -> dict[str, Any]:
    return subject(night(day), spent, NO_BUDGET, bills, late(day, unseen)).row(0, named=True)


def test_within_november_the_report_is_about_october() -> None:
    row = row_of(date(2026, 11, 21), spend(date(2026, 9, 3), date(2026, 10, 5)), bill(OCTOBER, is_reconciled=True))
    assert (row["month"], row["period_end"], row["is_complete"]) == (OCTOBER, date(2026, 11, 1), True)
    assert row["previous_month"] == date(2026, 9, 1)


def test_on_the_last_night_of_october_october_is_complete() -> None:
    row = row_of(date(2026, 10, 31), spend(date(2026, 10, 5)), bill(OCTOBER, is_reconciled=True))
    assert (row["month"], row["is_complete"], row["previous_month"]) == (OCTOBER, True, None)


def test_where_all_history_is_younger_the_running_month_is_reported_to_the_night() -> None:
    row = row_of(date(2026, 10, 21), spend(date(2026, 10, 5)), bill(OCTOBER, is_reconciled=True))
    assert (row["month"], row["period_end"], row["is_complete"]) == (OCTOBER, date(2026, 10, 22), False)
    assert row["state"] == "PRELIMINARY"


@pytest.mark.parametrize(("is_reconciled", "state"), [(True, "FINAL"), (False, "PRELIMINARY")])
def test_a_month_is_final_when_its_bills_tie_out(is_reconciled: bool, state: str) -> None:  # noqa: FBT001 - parametrized
    row = row_of(date(2026, 11, 21), spend(date(2026, 10, 5)), bill(OCTOBER, is_reconciled=is_reconciled))
    assert row["state"] == state


def test_no_bill_is_nothing_to_rely_on() -> None:
    empty = bill(OCTOBER, is_reconciled=True).clear()
    assert row_of(date(2026, 11, 21), spend(date(2026, 10, 5)), empty)["state"] == "PRELIMINARY"


def test_a_month_whose_last_days_are_not_billed_is_not_final() -> None:
    # the night is 2 November, the bill ends on 29 October: 29 of 31 days are known
    spent, bills = spend(date(2026, 10, 5)), bill(OCTOBER, is_reconciled=True)
    late_bill = row_of(date(2026, 11, 2), spent, bills, unseen=4)
    assert (late_bill["known_days"], late_bill["is_complete"], late_bill["state"]) == (29, True, "PRELIMINARY")
    whole = row_of(date(2026, 11, 2), spent, bills, unseen=2)
    assert (whole["known_days"], whole["state"]) == (31, "FINAL")
    nothing = row_of(date(2026, 11, 2), spent, bills, unseen=60)
    assert (nothing["known_days"], nothing["state"]) == (0, "PRELIMINARY")


def test_what_moved_is_counted_on_the_days_that_both_months_have() -> None:
    # 1 to 29 October beside 1 to 29 September: 1,000 + 1,000 beside 1,000; what stands on the 30th is on neither side
    spent = spend(*(date(2026, 9, day) for day in (5, 30)), *(date(2026, 10, day) for day in (5, 29, 30)))
    spent = spent.with_columns(model_id=pl.lit("m"), is_waste=pl.lit(value=False))
    models = pl.DataFrame({"model_id": ["m"], "owner": ["a"]})
    for unseen, change in ((4, (1000, 2000, 1000)), (0, (2000, 3000, 1000))):
        row = row_of(date(2026, 11, 2), spent, bill(OCTOBER, is_reconciled=True), unseen)
        moved = movers(night(date(2026, 11, 2)), pl.DataFrame([row]), spent, late(date(2026, 11, 2), unseen), models)
        assert moved.select("previous_usd", "current_usd", "change_usd").rows() == [tuple(map(Decimal, change))]


def test_a_change_is_material_from_half_a_percent_of_the_month_and_at_least_a_thousand() -> None:
    bills = bill(OCTOBER, is_reconciled=True)
    large = row_of(date(2026, 11, 21), spend(date(2026, 10, 5), amount=1_000_000), bills)
    small = row_of(date(2026, 11, 21), spend(date(2026, 10, 5), amount=100), bills)
    assert large["materiality_usd"] == Decimal(5000)  # 0.005 × 1,000,000
    assert small["materiality_usd"] == Decimal(1000)


def test_a_plan_counts_its_coarsest_rows_only() -> None:
    both = table(
        "budgets",
        {"month": OCTOBER, "model_id": "*", "phase": "*", "usd": Decimal(100)},
        {"month": OCTOBER, "model_id": "atlas", "phase": "*", "usd": Decimal(60)},
        {"month": date(2026, 9, 1), "model_id": "atlas", "phase": "inference", "usd": Decimal(30)},
        {"month": date(2026, 9, 1), "model_id": "birch", "phase": "inference", "usd": Decimal(12)},
    )
    assert dict(plans(both).select("month", "plan_usd").iter_rows()) == {
        OCTOBER: Decimal(100),  # not 160
        date(2026, 9, 1): Decimal(42),  # 30 + 12
    }
