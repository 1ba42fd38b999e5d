"""Where cost is going: days that nobody has told of yet are unknown, and unknown is not zero."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.outlook import outlook, quarters
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 11, 20)
NOTHING = CATALOGUE["spend_outlook"].empty()
OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))


def subject(as_of: date = NIGHT, month: date = OCTOBER, first_day: date = date(2026, 1, 1)) -> pl.DataFrame:
    end = (month + timedelta(days=31)).replace(day=1)
    known = {"as_of": as_of, "month": month, "period_end": end, "first_day": first_day}
    return pl.DataFrame([known | {"history_days": (as_of - first_day).days + 1}])


def spend(*charges: tuple[date, int, str]) -> pl.DataFrame:
    """Days with dollars of an account; `inference` is direct cost of serving."""
    rows = [
        {"charge_date": day, "account": "direct" if account == "inference" else account,
         "phase": "inference" if account == "inference" else None, "effective_usd": Decimal(usd)}
        for day, usd, account in charges
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"effective_usd": pl.Decimal(38, 12), "phase": pl.String})


def states(serving_unseen: int = 0, running_unseen: int = 0, as_of: date = NIGHT, sigma: float = 0.0) -> pl.DataFrame:
    """A forecast of $10 of serving a day, and how many days before the night are not known."""
    known: dict[str, Any] = {"known_on": as_of + timedelta(days=1), "model_id": "*", "trend": 0.0, "sigma": sigma}
    return pl.DataFrame(
        [known | {"quantity": "inference_usd", "level": 10.0, "unseen_days": serving_unseen},
         known | {"quantity": "running_usd", "level": 99.0, "unseen_days": running_unseen}]
    )  # fmt: skip


def months(spent: pl.DataFrame, known: pl.DataFrame, about: pl.DataFrame) -> dict[date, dict[str, Any]]:
    none = {name: CATALOGUE[name].empty() for name in ("spend_outlook", "budgets")}
    found = outlook(about, spent, known, **none)
    return {row["month"]: row for row in found.iter_rows(named=True)}


def days(first: date, last: date, usd: int, account: str) -> list[tuple[date, int, str]]:
    return [(first + timedelta(days=day), usd, account) for day in range((last - first).days + 1)]


def test_the_pace_of_other_cost_is_that_of_the_days_that_are_billed() -> None:
    # idle at $6 a day from August on; on the night of 2 November the bill ends on 29 October, so 90 days cost $540
    # and not 92; October is 29 × 6 and two days to come, December 31 × 6 beside 31 × 10 of serving
    as_of = date(2026, 11, 2)
    spent = spend(*days(date(2026, 8, 1), date(2026, 10, 29), 6, "idle"))
    found = months(spent, states(2, 4, as_of), subject(as_of))
    assert found[DECEMBER]["expected_usd_p50"] == Decimal(496)
    assert (found[OCTOBER]["actual_usd"], found[OCTOBER]["expected_usd_p50"]) == (Decimal(174), Decimal(186))
    assert (found[OCTOBER]["is_forecast"], found[date(2026, 9, 1)]["is_forecast"]) == (True, False)


def test_days_that_requests_do_not_cover_are_still_to_come_beyond_what_is_booked_on_them() -> None:
    # $10 of serving a day to 18 November; on the 19th $4 is booked: 180 + 4 + (12 × 10 − 4) = 30 days of $10
    spent = spend(*days(NOVEMBER, date(2026, 11, 18), 10, "inference"), (date(2026, 11, 19), 4, "inference"))
    found = months(spent, states(2), subject())
    assert (found[NOVEMBER]["actual_usd"], found[NOVEMBER]["expected_usd_p50"]) == (Decimal(184), Decimal(300))


def test_a_credit_on_a_day_that_is_not_billed_stays_a_credit() -> None:
    # $180 to the 18th, −$900 on the 19th, 12 days of $10 still to come
    spent = spend(*days(NOVEMBER, date(2026, 11, 18), 10, "inference"), (date(2026, 11, 19), -900, "inference"))
    assert months(spent, states(2), subject())[NOVEMBER]["expected_usd_p50"] == Decimal(-600)


def test_a_credit_larger_than_all_other_cost_does_not_go_on() -> None:
    spent = spend((date(2026, 9, 3), 90, "shared"), (date(2026, 10, 3), -9000, "adjustment"))
    assert months(spent, states(), subject())[DECEMBER]["expected_usd_p50"] == Decimal(310)


def test_a_young_company_costs_what_its_days_cost_and_not_those_before_it() -> None:
    # $8 a day of idle on the last 11 days of October, in which the company began: 31 × (8 + 10) in December
    first = date(2026, 10, 21)
    spent = spend(*days(first, date(2026, 10, 31), 8, "idle"))
    assert months(spent, states(), subject(first_day=first))[DECEMBER]["expected_usd_p50"] == Decimal(558)


def test_a_few_days_of_history_are_no_forecast() -> None:
    # 20 November is the 27th day since 25 October
    spent = spend(*days(date(2026, 10, 25), NIGHT, 8, "idle"))
    for first, count in ((date(2026, 10, 25), 0), (date(2026, 10, 24), 2)):
        assert (
            quarters(subject(first_day=first), spent, states(), NOTHING, CATALOGUE["budgets"].empty()).height == count
        )


def test_the_quarter_and_its_chance_count_the_days_that_are_not_known() -> None:
    # October 310 and 18 days of 10; 12 days of November and 31 of December to come: 490 + 430 = 920, an even chance
    spent = spend(*days(OCTOBER, date(2026, 11, 18), 10, "inference"))
    plan = pl.DataFrame(
        {
            "month": [OCTOBER, NOVEMBER, DECEMBER],
            "model_id": "*",
            "phase": "*",
            "usd": [Decimal(300)] * 2 + [Decimal(320)],
        },
        schema_overrides={"usd": pl.Decimal(38, 12)},
    )
    found = quarters(subject(), spent, states(2, sigma=0.2), NOTHING, plan).row(0, named=True)
    assert (found["quarter"], found["actual_usd"], found["expected_usd_p50"]) == (OCTOBER, Decimal(490), Decimal(920))
    assert found["within_plan_ratio"] == pytest.approx(0.5)


def test_training_is_a_calendar_of_events_and_no_pace() -> None:
    # $9,000 of a run that ended in October do not go on; the outlook of spend has $70 to come in November, the plan of
    # the next quarter $50 of post-training; serving is $10 a day
    spent = spend(*days(OCTOBER, NIGHT, 10, "inference")).vstack(
        spend((date(2026, 10, 3), 9000, "inference")).with_columns(phase=pl.lit("pretraining"))
    )
    told = pl.DataFrame({"period_start": [NOVEMBER, OCTOBER], "grain": ["month", "quarter"], "training_usd": [70, 999]})
    plan = pl.DataFrame(
        {
            "month": [NOVEMBER, date(2027, 2, 1)],
            "model_id": "*",
            "phase": "posttraining",
            "usd": [Decimal(500), Decimal(50)],
        },
        schema_overrides={"usd": pl.Decimal(38, 12)},
    )
    found = quarters(subject(), spent, states(), told, plan)
    # 31 + 20 days, the run, 10 + 31 days ahead and $70; then 90 days and $50
    assert found["expected_usd_p50"].to_list() == [Decimal(510 + 9000 + 410 + 70), Decimal(950)]
