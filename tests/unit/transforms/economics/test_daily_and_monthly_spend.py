"""Conversion to the reporting currency, by day and by month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.checks import days_off_the_ledger, months_off_the_days, unconverted_spend
from transforms.economics.spend.daily_and_monthly_spend import daily_spend, monthly_spend

MAY = date(2025, 5, 1)
NIGHT = date(2025, 6, 30)


@pytest.fixture
def euro(rows: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return rows("fx", {"month": MAY, "currency": "EUR", "rate": "1.0837"})


def posting(**given: Any) -> dict[str, Any]:
    return {
        "charge_day": date(2025, 5, 3),
        "charge_date": date(2025, 5, 3),
        "billing_period_start": MAY,
        "account": "direct",
        "currency": "USD",
        **given,
    }


def test_the_companys_own_currency_has_rate_one_whatever_fx_says(rows: Any, night: Any) -> None:
    fx = rows("fx", {"month": MAY, "currency": "USD", "rate": "2"})
    spend = daily_spend(rows("booked_days", posting(effective_cost="12.34", billed_cost="5")), fx, night(NIGHT))
    assert spend.select("effective_usd", "billed_usd").row(0) == (Decimal("12.34"), Decimal(5))


def test_a_foreign_cost_is_converted_by_the_month_of_its_own_day(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    # 100 EUR × 1.0837 = 108.37 USD; billed in June for May, so May's rate holds
    row = posting(currency="EUR", effective_cost="100", billing_period_start=date(2025, 6, 1))
    spend = daily_spend(rows("booked_days", row), euro, night(NIGHT))
    assert spend["effective_usd"].to_list() == [Decimal("108.37")]
    assert spend["is_restated"].to_list() == [True]


def test_the_thirteenth_decimal_is_rounded_half_up(rows: Any, night: Any) -> None:
    # 0.000000000001 × 1.5 = 0.0000000000015 → 0.000000000002
    fx = rows("fx", {"month": MAY, "currency": "EUR", "rate": "1.5"})
    spend = daily_spend(rows("booked_days", posting(currency="EUR", effective_cost="0.000000000001")), fx, night(NIGHT))
    assert spend["effective_usd"].item() == Decimal("0.000000000002")


def test_a_large_amount_times_a_large_rate_stays_exact(rows: Any, night: Any) -> None:
    # 12 345 678 901.234567890123 × 151.5 = 1 870 370 353 537.0370353536345, half up at the twelfth decimal
    fx = rows("fx", {"month": MAY, "currency": "EUR", "rate": "151.5"})
    row = posting(currency="EUR", effective_cost="12345678901.234567890123")
    assert daily_spend(rows("booked_days", row), fx, night(NIGHT))["effective_usd"].item() == Decimal(
        "1870370353537.037035353635"
    )


def test_a_month_without_a_rate_is_shown_apart_and_named(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    june = posting(currency="EUR", effective_cost="7", billed_cost="8", charge_date=date(2025, 6, 1), source="cloud")
    spend = daily_spend(rows("booked_days", june, posting(effective_cost="1")), euro, night(NIGHT))
    assert spend.filter(pl.col("currency") == "EUR")["effective_usd"].to_list() == [None]
    missing = unconverted_spend(spend).row(0, named=True)
    assert (missing["currency"], missing["month"], missing["effective_cost"]) == ("EUR", date(2025, 6, 1), Decimal(7))


def test_nothing_is_held_when_every_currency_has_a_rate(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    spend = daily_spend(rows("booked_days", posting(currency="EUR", effective_cost="7")), euro, night(NIGHT))
    assert unconverted_spend(spend).is_empty()


def test_days_and_months_add_up_to_the_same(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    thirds = [posting(currency="EUR", effective_cost="0.333333333333", team=team, run_id=team) for team in "abc"]
    booked = rows("booked_days", *thirds, posting(effective_cost="2", account="idle"))
    days = daily_spend(booked, euro, night(NIGHT))
    months = monthly_spend(booked, euro, night(NIGHT))
    assert months_off_the_days(days, months).is_empty()
    # 3 × round(0.333333333333 × 1.0837) = 3 × 0.361233333333 (0.3612333333329…), not the conversion of the sum
    assert days.filter(pl.col("account") == "direct")["effective_usd"].item() == Decimal("1.083699999999")
    assert months.height == 4


def test_a_cent_moved_in_the_months_is_found(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    booked = rows("booked_days", posting(effective_cost="2"))
    months = monthly_spend(booked, euro, night(NIGHT)).with_columns(effective_usd=pl.lit(Decimal("2.01")))
    assert months_off_the_days(daily_spend(booked, euro, night(NIGHT)), months).height == 1


def test_a_day_that_was_not_renewed_is_found(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    before = rows("booked_days", posting(effective_cost="2"))
    spend = daily_spend(before, euro, night(NIGHT))
    assert days_off_the_ledger(before, spend).is_empty()
    assert days_off_the_ledger(rows("booked_days", posting(effective_cost="3")), spend).height == 1
    assert days_off_the_ledger(before, spend.clear()).height == 1


def test_no_postings_are_no_spend(rows: Any, night: Any, euro: pl.DataFrame) -> None:
    assert daily_spend(rows("booked_days"), euro, night(NIGHT)).is_empty()
    assert monthly_spend(rows("booked_days"), euro, night(NIGHT)).is_empty()
