"""Closed months that cost something else than was first reported: how much, why, and by which file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.economics.spend.charged_months import charged_months
from transforms.reports.restatements import restated_months, restatements
from warehouse.schemas import CATALOGUE

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
FIRST, LATER = date(2026, 10, 2), date(2026, 10, 9)
SETTINGS = pl.DataFrame({"as_of": [date(2026, 11, 20)], "currency": ["USD"]})
RATE = {"month": SEPTEMBER, "currency": "EUR", "rate": Decimal("1.1")}


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = CATALOGUE[name]
    return schema.frame(pl.DataFrame(list(rows), schema_overrides=schema.polars_schema())) if rows else schema.empty()


def blank(name: str) -> dict[str, Any]:
    return {
        column: None
        if of.is_nullable
        else {pl.String: "", pl.Boolean: False, pl.Date: SEPTEMBER}.get(type(of.dtype), 0)
        for column, of in CATALOGUE[name].columns().items()
    }


def charge(source: str, cost: int, day: int = 1, billed: date = SEPTEMBER, **values: Any) -> dict[str, Any]:
    """Charges of a day of September, billed in some period; `charge_class` and `account` may be given."""
    row = {
        "source": source, "currency": "USD", "account": "direct", "charge_date": date(2026, 9, day),
        "charge_class": None, "billing_period_start": billed, "effective_cost": Decimal(cost),
    }  # fmt: skip
    return row | values


def books(*charges: dict[str, Any], rate: dict[str, Any] = RATE) -> dict[str, pl.DataFrame]:
    """The tables that a night makes of these charges."""
    booked = [blank("booked_days") | {name: row[name] for name in row if name != "charge_class"} for row in charges]
    billed = [
        blank("billed_days")
        | {name: row[name] for name in row if name not in {"account", "charge_date"}}
        | {"charge_day": row["charge_date"]}
        | {"scope_rule": "attribution.csv line 7" if row["account"] == "out_of_scope" else None}
        for row in charges
    ]
    tables = {"booked_days": table("booked_days", *booked), "billed_days": table("billed_days", *billed)}
    months = charged_months(**tables, fx=table("fx", blank("fx") | rate), settings=SETTINGS)
    return tables | {"charged_months": months}


def reported(night: date, *charges: dict[str, Any]) -> pl.DataFrame:
    months = books(*charges)["charged_months"].with_columns(night=pl.lit(night))
    return CATALOGUE["reported_months"].frame(months)


def asked(
    published: pl.DataFrame, *charges: dict[str, Any], rate: dict[str, Any] = RATE, **tables: pl.DataFrame
) -> tuple[Any, Any]:
    now = books(*charges, rate=rate)
    months = restated_months(SETTINGS, published, now["charged_months"])
    files = {name: table(name) for name in ("published_bills", "bill_deliveries")} | tables
    causes = restatements(settings=SETTINGS, reported_months=published, **now, **files)
    return months.to_dicts(), causes.to_dicts()


def delivery(source: str, file: str, cost: int, sha256: str, *, is_current: bool = True) -> dict[str, Any]:
    return {
        "source": source, "billing_account_id": "", "billing_period_start": SEPTEMBER, "delivery": file, "file": file,
        "file_sha256": sha256, "rows": 1, "billed_cost": Decimal(cost), "is_current": is_current,
    }  # fmt: skip


def by_cause(causes: list[dict[str, Any]]) -> dict[str, Decimal]:
    return {row["cause"]: row["change_usd"] for row in causes}


def test_nothing_is_restated_where_months_cost_what_was_reported() -> None:
    assert asked(reported(FIRST, charge("aws", 100)), charge("aws", 100)) == ([], [])


def test_a_month_is_compared_with_the_first_night_after_its_end() -> None:
    nights = ((date(2026, 9, 30), 70), (FIRST, 90), (LATER, 95))
    published = pl.concat(reported(night, charge("aws", cost)) for night, cost in nights)
    months, _ = asked(published, charge("aws", 100))
    # neither 70 of the running month nor 95 of the second night: 100 − 90 = 10
    assert [(row["first_night"], row["reported_usd"], row["change_usd"]) for row in months] == [
        (FIRST, Decimal(90), Decimal(10))
    ]


def test_a_month_that_no_night_reported_after_its_end_cannot_be_restated() -> None:
    assert asked(reported(date(2026, 9, 30), charge("aws", 70)), charge("aws", 100)) == ([], [])


def test_a_night_is_not_compared_with_itself_or_later_ones() -> None:
    assert asked(reported(date(2026, 11, 20), charge("aws", 70)), charge("aws", 100)) == ([], [])


def test_all_sources_of_a_restated_month_count_in_its_amounts() -> None:
    months, causes = asked(
        reported(FIRST, charge("aws", 90), charge("lambda", 10)), charge("aws", 100), charge("lambda", 10)
    )
    # 90 + 10 = 100 reported, 100 + 10 = 110 now
    assert (months[0]["reported_usd"], months[0]["current_usd"]) == (Decimal(100), Decimal(110))
    assert [row["source"] for row in causes] == ["aws"]


def test_what_a_later_bill_dates_into_the_month_is_a_correction_of_that_month() -> None:
    published = reported(FIRST, charge("aws", 100))
    months, causes = asked(published, charge("aws", 100), charge("aws", -7, billed=OCTOBER))
    # the bill of September is as it was; page 1 shows September at 100 − 7 = 93
    assert months[0]["current_usd"] == Decimal(93)
    assert by_cause(causes) == {"correction": Decimal(-7)}


def test_rows_of_changed_days_of_late_days_and_of_corrections_are_told_apart() -> None:
    published = reported(FIRST, charge("aws", 100, day=20), charge("aws", -5, charge_class="Correction"))
    _, causes = asked(
        published,
        charge("aws", 103, day=20),  # 103 − 100 = 3
        charge("aws", -20, charge_class="Correction"),  # −20 + 5 = −15
        charge("aws", 40, day=21),  # the first night had the bill to day 20
        charge("aws", -2, day=22, charge_class="Correction"),  # late and a correction: a correction
    )
    assert by_cause(causes) == {"changed": Decimal(3), "correction": Decimal(-17), "late": Decimal(40)}


@pytest.mark.parametrize(
    ("was", "now", "cause"),
    [
        ([], [charge("lambda", 7)], "late"),
        ([charge("lambda", 7)], [], "withdrawn"),
        ([charge("accrual", 7)], [charge("accrual", 8)], "policy"),
        ([charge("lambda", 7)], [charge("lambda", 7, account="out_of_scope")], "policy"),
        ([charge("lambda", 7)], [charge("lambda", 8)], "changed"),
    ],
)
def test_the_cause_is_named(was: list[dict[str, Any]], now: list[dict[str, Any]], cause: str) -> None:
    _, causes = asked(reported(FIRST, charge("aws", 100), *was), charge("aws", 100), *now)
    assert [row["cause"] for row in causes] == [cause]


def test_another_rate_is_exchange_and_the_rest_is_taken_at_the_rate_of_now() -> None:
    published = reported(FIRST, charge("ovh", 40, currency="EUR"))
    months, causes = asked(published, charge("ovh", 44, currency="EUR"), rate=RATE | {"rate": Decimal("1.2")})
    # first 40 × 1.1 = 44.00; exchange 40 × 1.2 − 44 = 4.00; rows 4 × 1.2 = 4.80; now 44 × 1.2 = 52.80
    assert by_cause(causes) == {"exchange": Decimal("4.00"), "changed": Decimal("4.80")}
    assert months[0]["change_usd"] == Decimal("8.80")


def test_a_rate_that_was_missing_is_exchange() -> None:
    published = reported(FIRST, charge("ovh", 40, currency="EUR")).with_columns(
        rate=pl.lit(None, dtype=pl.Decimal(38, 12)), effective_usd=pl.lit(Decimal(0)).cast(pl.Decimal(38, 12))
    )
    _, causes = asked(published, charge("ovh", 40, currency="EUR"))
    assert by_cause(causes) == {"exchange": Decimal(44)}  # 40 × 1.1, of which nothing was counted


CHARGE = st.builds(
    charge,
    st.sampled_from(["aws", "ovh", "accrual"]),
    st.integers(-50, 200),
    st.integers(1, 30),
    st.sampled_from([SEPTEMBER, OCTOBER]),
    currency=st.sampled_from(["USD", "EUR"]),
    account=st.sampled_from(["direct", "out_of_scope"]),
    charge_class=st.sampled_from([None, "Correction"]),
)


@given(st.lists(CHARGE, max_size=6), st.lists(CHARGE, max_size=6), st.decimals("0.5", "2", places=7))
def test_causes_add_up_to_the_change_whatever_changed(
    was: list[dict[str, Any]], now: list[dict[str, Any]], rate: Decimal
) -> None:
    kept = charge("lambda", 1)
    months, causes = asked(reported(FIRST, kept, *was), kept, *now, rate=RATE | {"rate": rate})
    change = sum((row["change_usd"] for row in months), Decimal(0))
    assert sum((row["change_usd"] for row in causes), Decimal(0)) == change


def test_the_largest_file_that_the_first_night_had_not_read_is_named() -> None:
    read = {"night": FIRST, "source": "aws", "file": "old.csv", "sha256": "a"}
    deliveries = table(
        "bill_deliveries",
        delivery("aws", "old.csv", 90, "a"),
        delivery("aws", "small.csv", 3, "b"),
        delivery("aws", "large.csv", -7, "c"),
        delivery("aws", "replaced.csv", 50, "d", is_current=False),
    )
    tables = {"published_bills": table("published_bills", read), "bill_deliveries": deliveries}
    _, causes = asked(reported(FIRST, charge("aws", 90)), charge("aws", 86), **tables)
    assert [(row["file"], row["files"]) for row in causes] == [("large.csv", 2)]


def test_a_correction_is_named_by_the_bill_that_brought_it() -> None:
    read = {"night": FIRST, "source": "aws", "file": "old.csv", "sha256": "a"}
    deliveries = table(
        "bill_deliveries",
        delivery("aws", "old.csv", 90, "a"),
        delivery("aws", "october.csv", 50, "b") | {"billing_period_start": OCTOBER},
    )
    tables = {"published_bills": table("published_bills", read), "bill_deliveries": deliveries}
    _, causes = asked(
        reported(FIRST, charge("aws", 90)), charge("aws", 90), charge("aws", -4, billed=OCTOBER), **tables
    )
    assert [(row["cause"], row["file"]) for row in causes] == [("correction", "october.csv")]


def test_a_file_that_is_gone_is_named_where_none_came() -> None:
    read = {"night": FIRST, "source": "aws", "file": "gone.csv", "sha256": "a"}
    _, causes = asked(
        reported(FIRST, charge("aws", 90), charge("lambda", 1)),
        charge("lambda", 1),
        published_bills=table("published_bills", read),
    )
    assert [(row["cause"], row["file"]) for row in causes] == [("withdrawn", "gone.csv")]


def test_no_file_is_named_where_nobody_remembers_what_was_read() -> None:
    deliveries = table("bill_deliveries", delivery("aws", "new.csv", 90, "a"))
    _, causes = asked(reported(FIRST, charge("aws", 90)), charge("aws", 86), bill_deliveries=deliveries)
    assert [(row["file"], row["files"]) for row in causes] == [(None, 0)]
