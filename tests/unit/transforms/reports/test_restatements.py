"""Closed months that changed since they were first reported: how much, why, and by which file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.restatements import restated_months, restatements
from warehouse.schemas import CATALOGUE

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
FIRST, LATER = date(2026, 10, 2), date(2026, 10, 9)
SETTINGS = pl.DataFrame({"as_of": [date(2026, 11, 20)]})


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = CATALOGUE[name]
    return schema.frame(pl.DataFrame(list(rows), schema_overrides=schema.polars_schema())) if rows else schema.empty()


def bill(source: str, cost: int, month: date = SEPTEMBER, correction: int = 0, **given: Any) -> dict[str, Any]:
    return {
        "source": source, "billing_period_start": month, "invoice_id": f"{source}-{month:%m}", "currency": "USD",
        "charges": 1, "billed_cost": Decimal(cost), "effective_cost": Decimal(cost),
        "correction_billed_cost": Decimal(correction),
    } | given  # fmt: skip


def told(night: date, *bills: dict[str, Any]) -> list[dict[str, Any]]:
    return [row | {"night": night} for row in bills]


def asked(published: list[dict[str, Any]], *now: dict[str, Any], **given: pl.DataFrame) -> tuple[Any, Any]:
    periods, bills = table("published_periods", *published), table("reconciliation", *now)
    months = restated_months(SETTINGS, periods, bills)
    files = {name: table(name) for name in ("published_bills", "bill_deliveries")} | given
    causes = restatements(settings=SETTINGS, published_periods=periods, reconciliation=bills, **files)
    return months.to_dicts(), causes.to_dicts()


def delivery(source: str, file: str, cost: int, sha256: str, *, is_current: bool = True) -> dict[str, Any]:
    return {
        "source": source, "billing_account_id": "", "billing_period_start": SEPTEMBER, "delivery": file, "file": file,
        "file_sha256": sha256, "rows": 1, "billed_cost": Decimal(cost), "is_current": is_current,
    }  # fmt: skip


def test_nothing_is_restated_where_bills_are_as_they_were_reported() -> None:
    assert asked(told(FIRST, bill("aws", 100)), bill("aws", 100)) == ([], [])


def test_a_month_is_compared_with_the_first_night_after_its_end() -> None:
    running = told(date(2026, 9, 30), bill("aws", 70))
    published = [*running, *told(FIRST, bill("aws", 90)), *told(LATER, bill("aws", 95))]
    months, _ = asked(published, bill("aws", 100))
    # neither 70 of the running month nor 95 of the second night: 100 − 90 = 10
    assert [(row["first_night"], row["reported_cost"], row["change_cost"]) for row in months] == [
        (FIRST, Decimal(90), Decimal(10))
    ]


def test_a_month_that_no_night_reported_after_its_end_cannot_be_restated() -> None:
    assert asked(told(date(2026, 9, 30), bill("aws", 70)), bill("aws", 100)) == ([], [])


def test_a_night_is_not_compared_with_itself_or_later_ones() -> None:
    assert asked(told(date(2026, 11, 20), bill("aws", 70)), bill("aws", 100)) == ([], [])


def test_all_sources_of_a_restated_month_count_in_its_amounts() -> None:
    months, causes = asked(told(FIRST, bill("aws", 90), bill("lambda", 10)), bill("aws", 100), bill("lambda", 10))
    # 90 + 10 = 100 reported, 100 + 10 = 110 now
    assert (months[0]["reported_cost"], months[0]["current_cost"]) == (Decimal(100), Decimal(110))
    assert [row["source"] for row in causes] == ["aws"]


def test_a_correction_is_told_apart_from_what_changed_without_one() -> None:
    _, causes = asked(told(FIRST, bill("aws", 100, correction=-5)), bill("aws", 88, correction=-20))
    # corrections went from −5 to −20; the rest is 88 − 100 + 15 = 3
    assert {row["cause"]: row["change_cost"] for row in causes} == {"correction": Decimal(-15), "changed": Decimal(3)}


@pytest.mark.parametrize(
    ("was", "now", "cause"),
    [
        ([], [bill("lambda", 7)], "late"),
        ([bill("lambda", 7)], [], "withdrawn"),
        ([bill("accrual", 7)], [bill("accrual", 8)], "policy"),
        ([bill("lambda", 7)], [bill("lambda", 8)], "changed"),
    ],
)
def test_the_cause_is_named(was: list[dict[str, Any]], now: list[dict[str, Any]], cause: str) -> None:
    _, causes = asked(told(FIRST, bill("aws", 100), *was), bill("aws", 100), *now)
    assert [row["cause"] for row in causes] == [cause]


def test_currencies_stay_apart_and_causes_add_up_to_the_change_of_each() -> None:
    euro = bill("ovh", 40, currency="EUR")
    months, causes = asked(told(FIRST, bill("aws", 90), euro), bill("aws", 100), euro | {"billed_cost": Decimal(44)})
    found = {
        row["currency"]: sum(c["change_cost"] for c in causes if c["currency"] == row["currency"]) for row in months
    }
    assert found == {row["currency"]: row["change_cost"] for row in months} == {"USD": Decimal(10), "EUR": Decimal(4)}


def test_the_largest_file_that_the_first_night_had_not_read_is_named() -> None:
    read = {"night": FIRST, "source": "aws", "file": "old.csv", "sha256": "a"}
    deliveries = table(
        "bill_deliveries",
        delivery("aws", "old.csv", 90, "a"),
        delivery("aws", "small.csv", 3, "b"),
        delivery("aws", "large.csv", -7, "c"),
        delivery("aws", "replaced.csv", 50, "d", is_current=False),
    )
    given = {"published_bills": table("published_bills", read), "bill_deliveries": deliveries}
    _, causes = asked(told(FIRST, bill("aws", 90)), bill("aws", 86), **given)
    assert [(row["file"], row["files"]) for row in causes] == [("large.csv", 2)]


def test_a_file_that_is_gone_is_named_where_none_came() -> None:
    read = {"night": FIRST, "source": "aws", "file": "gone.csv", "sha256": "a"}
    _, causes = asked(
        told(FIRST, bill("aws", 90), bill("lambda", 1)),
        bill("lambda", 1),
        published_bills=table("published_bills", read),
    )
    assert [(row["cause"], row["file"]) for row in causes] == [("withdrawn", "gone.csv")]


def test_no_file_is_named_where_nobody_remembers_what_was_read() -> None:
    deliveries = table("bill_deliveries", delivery("aws", "new.csv", 90, "a"))
    _, causes = asked(told(FIRST, bill("aws", 90)), bill("aws", 86), bill_deliveries=deliveries)
    assert [(row["file"], row["files"]) for row in causes] == [(None, 0)]
