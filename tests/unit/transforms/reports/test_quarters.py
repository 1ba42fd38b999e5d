"""Where cost is going, as page 8 prints it: the months behind, and what the economics expect of those ahead."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from transforms.reports.outlook import outlook, quarters
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 11, 20)
OCTOBER, NOVEMBER, DECEMBER, JANUARY = (date(2026 + month // 13, (month - 1) % 12 + 1, 1) for month in (10, 11, 12, 13))


def subject(as_of: date = NIGHT, history_days: int = 300) -> pl.DataFrame:
    return pl.DataFrame({"as_of": [as_of], "history_days": [history_days]})


def figures(*months: tuple[date, int, int | None]) -> pl.DataFrame:
    """Months with their cost and plan."""
    money = pl.Decimal(38, 12)
    rows = [{"month": month, "effective_usd": cost, "plan_usd": plan} for month, cost, plan in months]
    return pl.DataFrame(rows, schema={"month": pl.Date, "effective_usd": money, "plan_usd": money})


def told(*periods: dict[str, Any], unseen: int = 0, method: str | None = "smoothing") -> pl.DataFrame:
    """Rows of the outlook of spend; what a test leaves out is 0."""
    table = CATALOGUE["spend_outlook"]
    money = [name for name in table.columns() if "_usd" in name]
    rows = [
        dict.fromkeys(money, Decimal(0))
        | {"grain": "month", "training_basis": "none", "history_days": 300, "unseen_days": unseen, "method": method}
        | {"budget_usd": None} | period
        for period in periods
    ]  # fmt: skip
    return table.frame(pl.DataFrame(rows, schema_overrides=table.polars_schema()))


def period(start: date, days: int, p50: int, **given: Any) -> dict[str, Any]:
    """A month or quarter from its first day, with its total: P10 a tenth under the median, P90 a tenth above."""
    share = {"p10": 90, "p50": 100, "p90": 110}
    totals = {f"total_usd_{p}": Decimal(p50) * percent / 100 for p, percent in share.items()}
    return {"period_start": start, "period_end": start + timedelta(days=days - 1)} | totals | given


def months(*arguments: pl.DataFrame) -> dict[date, dict[str, Any]]:
    return {row["month"]: row for row in outlook(*arguments).iter_rows(named=True)}


def test_months_behind_are_what_they_cost_and_months_ahead_what_is_expected() -> None:
    found = months(
        subject(), figures((OCTOBER, 310, 300)), told(period(NOVEMBER, 30, 400, actual_usd=250, budget_usd=390))
    )
    october, november = found[OCTOBER], found[NOVEMBER]
    assert [october[f"expected_usd_{p}"] for p in ("p10", "p50", "p90")] == [310, 310, 310]
    assert (october["is_forecast"], october["plan_usd"]) == (False, 300)
    assert [november[f"expected_usd_{p}"] for p in ("p10", "p50", "p90")] == [360, 400, 440]
    assert (november["is_forecast"], november["actual_usd"], november["plan_usd"]) == (True, 250, 390)


def test_a_month_that_is_over_but_not_known_is_a_forecast() -> None:
    # the night is 2 November; with three days unknown 31 October is open, with two it is known
    for unseen, is_open in ((3, True), (2, False)):
        found = months(
            subject(date(2026, 11, 2)), figures((OCTOBER, 174, None)), told(period(OCTOBER, 31, 186), unseen=unseen)
        )
        assert (found[OCTOBER]["expected_usd_p50"], found[OCTOBER]["is_forecast"]) == (Decimal(186), is_open)


def test_at_most_twelve_months_behind_are_drawn() -> None:
    past = [(date(2025, month, 1), 5, None) for month in range(9, 13)]
    assert min(months(subject(), figures(*past), told(period(NOVEMBER, 30, 400)))) == date(2025, 11, 1)


def test_a_few_days_of_history_or_no_service_are_no_forecast() -> None:
    expected = told(period(OCTOBER, 92, 1200, grain="quarter"), period(NOVEMBER, 30, 400))
    assert quarters(subject(history_days=28), expected).height == 1
    assert quarters(subject(history_days=27), expected).is_empty()
    assert outlook(subject(history_days=27), figures(), expected).is_empty()
    assert quarters(subject(), told(period(OCTOBER, 92, 1200, grain="quarter"), method=None)).is_empty()


def test_the_quarters_are_those_of_the_economics_to_the_last_digit() -> None:
    third = Decimal("1200.000000000001")
    expected = told(
        period(date(2026, 7, 1), 92, 900, grain="quarter"),
        period(OCTOBER, 92, 1, grain="quarter", total_usd_p50=third, within_plan_ratio=0.4),
        period(JANUARY, 90, 800, grain="quarter"),
    )
    found = quarters(subject(), expected)
    assert found["quarter"].to_list() == [OCTOBER, JANUARY]
    assert (found["expected_usd_p50"][0], found["within_plan_ratio"][0]) == (third, 0.4)


def test_on_the_last_day_of_a_quarter_the_page_turns_to_the_next() -> None:
    expected = told(period(OCTOBER, 92, 1200, grain="quarter"), period(JANUARY, 90, 800, grain="quarter"))
    assert quarters(subject(date(2026, 12, 31)), expected)["quarter"].to_list() == [JANUARY]
