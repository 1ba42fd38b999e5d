"""Bill, ledger and invoice against each other, with the cause of every difference."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.variance.reconciliation import reconciliation
from transforms.staging.delivered_days import delivered_days
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 12, 5)
NIGHT_END = datetime(2026, 12, 6, tzinfo=UTC)
START = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = date(2026, 11, 1)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = CATALOGUE[name].polars_schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def charge(name: str, cost: str, **more: Any) -> dict[str, Any]:
    return {"charge_id": name, "charge_start": START, "charge_end": START + timedelta(days=1), "billed_cost": cost,
            "invoice_id": "i", "file_sha256": "f", **more}  # fmt: skip


def reconciled(books: Any, charges: list[dict[str, Any]], **inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    frames = books(charges=charges, night_end=NIGHT_END).tables()
    rows = {
        "charge_rows": [], "bill_deliveries": [], "quarantine": [], "invoice_totals": [], "fx": [],
        "published_periods": [],
        "files": [{"source": "cloud", "file": "a.csv", "sha256": "f", "rounding_residual": Decimal("0.000000000003")}],
        "settings": [{"night_end": NIGHT_END, "as_of": NIGHT, "currency": "USD"}],
        **inputs,
    }  # fmt: skip
    frames |= {name: table(name, listed) for name, listed in rows.items()}
    frames["delivered_days"] = delivered_days(frames["charge_rows"], frames["bill_deliveries"])
    found = reconciliation(**{name: frames[name] for name in inspect.signature(reconciliation).parameters})
    CATALOGUE["reconciliation"].validation().validate(found, lazy=True)
    return found.to_dicts()


def total(cost: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"source": "cloud", "file": "a.csv", "invoice_id": "i", "currency": "USD", "billed_cost": Decimal(cost), **more}
    ]


def test_each_source_period_invoice_and_currency_has_a_row_with_both_costs_of_bill_and_ledger(books: Any) -> None:
    bill = [charge("a", "1", effective_cost="2"), charge("b", "3", currency="EUR"), charge("c", "5", invoice_id=None)]
    rows = reconciled(books, bill, fx=[{"month": PERIOD, "currency": "EUR", "rate": Decimal(1)}])

    assert [
        (row["invoice_id"], row["currency"], row["charges"], row["billed_cost"], row["effective_cost"]) for row in rows
    ] == [
        ("", "USD", 1, Decimal(5), Decimal(5)),
        ("i", "EUR", 1, Decimal(3), Decimal(3)),
        ("i", "USD", 1, Decimal(1), Decimal(2)),
    ]
    assert all(row["is_reconciled"] and row["difference"] == 0 for row in rows)
    assert {row["explanation"] for row in rows} == {"the ledger equals the bill; no invoice total is stated"}


@pytest.mark.parametrize(
    ("stated", "is_reconciled", "start"),
    [
        ("100", True, "the ledger equals the bill and the invoice total"),
        ("101", True, "rounding (within the tolerance of 1): the invoice states 1 more"),
        ("99.25", True, "rounding (within the tolerance of 1): the invoice states -0.75 more"),
        ("101.000000000001", False, "unmatched: the invoice states 1.000000000001 more"),
        ("81", False, "tax (the total is stated without it): the invoice states -19 more"),
        ("150", False, "credit (the total is stated before it): the invoice states 50 more"),
        ("170", False, "timing (charges that start after the night): the invoice states 70 more"),
        ("130", False, "quarantine (rows that could not be read): the invoice states 30 more"),
        ("60", False, "duplicate delivery (file 1 of the invoice): the invoice states -40 more"),
    ],
)
def test_a_stated_total_is_compared_and_its_difference_named_by_the_cause_it_equals(
    books: Any, stated: str, start: str, *, is_reconciled: bool
) -> None:
    # file f: usage 91, tax 19, credit −50, together 60; file g: usage 40; the bill adds up to 100
    bill = [
        charge("a", "91"),
        charge("t", "19", charge_category="Tax"),
        charge("c", "-50", charge_category="Credit"),
        charge("d", "40", file_sha256="g"),
    ]
    later = {"source": "cloud", "file_sha256": "f", "billing_period_start": PERIOD, "charge_start": NIGHT_END,
             "invoice_id": "i", "currency": "USD", "billed_cost": Decimal(70)}  # fmt: skip
    unit = {
        "source": "cloud",
        "billing_account_id": "",
        "billing_period_start": PERIOD,
        "file_sha256": "f",
        "is_current": True,
    }
    refused = {"source": "cloud", "currency": "USD", "billed_cost": Decimal(30)}
    row = reconciled(
        books, bill, invoice_totals=total(stated), charge_rows=[later], bill_deliveries=[unit], quarantine=[refused]
    )[0]

    assert row["invoice_total"] == Decimal(stated)
    assert row["is_reconciled"] is is_reconciled
    assert row["explanation"].startswith(start)


@pytest.mark.parametrize(("currency", "tolerance"), [("USD", "1"), ("JPY", "100"), ("KWD", "0.1")])
def test_the_tolerance_is_a_hundred_of_the_smallest_division_of_the_currency(
    books: Any, currency: str, tolerance: str
) -> None:
    assert reconciled(books, [charge("a", "1", currency=currency)])[0]["tolerance"] == Decimal(tolerance)


def test_the_tolerance_grows_with_the_root_of_the_rows(books: Any) -> None:
    # ½·√90,000 = 150 cents
    many = [charge(f"c{number}", "0") for number in range(90_000)]

    assert reconciled(books, many)[0]["tolerance"] == Decimal("1.5")


def test_an_invoice_over_two_periods_is_compared_as_a_whole(books: Any) -> None:
    bill = [charge("a", "60"), charge("b", "40", billing_period_start=date(2026, 10, 1))]
    rows = reconciled(books, bill, invoice_totals=total("100"))

    assert [row["explanation"] for row in rows] == ["the ledger equals the bill and the invoice total"] * 2


def test_an_invoice_without_any_charge_has_a_row(books: Any) -> None:
    row = reconciled(books, [], invoice_totals=total("7"))[0]

    assert (row["charges"], row["billed_cost"], row["invoice_total"]) == (0, Decimal(0), Decimal(7))
    assert row["explanation"] == "unmatched: the invoice states 7 more than its charges add up to"
    assert row["is_reconciled"] is False


def test_the_newest_file_states_the_total_and_a_replaced_one_states_nothing(books: Any) -> None:
    files = [{"source": "cloud", "file": name, "sha256": name, "rounding_residual": Decimal(0), "superseded_by": by}
             for name, by in (("a.csv", None), ("b.csv", None), ("z.csv", "zz.csv"))]  # fmt: skip
    stated = [*total("1"), *total("2", file="b.csv"), *total("9", file="z.csv")]

    assert reconciled(books, [charge("a", "2")], files=files, invoice_totals=stated)[0]["invoice_total"] == Decimal(2)


def test_a_total_in_another_currency_and_a_missing_rate_are_said(books: Any) -> None:
    rows = reconciled(books, [charge("a", "2", currency="EUR")], invoice_totals=total("2"))

    assert rows[0]["explanation"].endswith(
        "FX: the invoice states its total in USD; FX: fx.csv has no rate for EUR in 2026-11"
    )


def test_what_rounding_took_is_shown_once_per_file(books: Any) -> None:
    rows = reconciled(books, [charge("a", "1"), charge("b", "1", invoice_id="j")])

    assert [row["rounding_residual"] for row in rows] == [Decimal("0.000000000003"), Decimal(0)]


def test_a_ledger_that_differs_from_its_bill_is_called_broken(books: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = books(charges=[charge("a", "2")], night_end=NIGHT_END).tables()
    monkeypatch.setattr(books, "tables", lambda _: frames | {"booked_days": frames["booked_days"].clear()})
    row = reconciled(books, [])[0]

    assert (row["difference"], row["is_reconciled"]) == (Decimal(-2), False)
    assert row["explanation"].startswith("broken: the ledger differs from the bill by -2")


# ---- closed periods --------------------------------------------------------------------------------------------------
def published(cost: str, night: date = date(2026, 12, 4), **more: Any) -> dict[str, Any]:
    return {"night": night, "source": "cloud", "billing_period_start": PERIOD, "invoice_id": "i", "currency": "USD",
            "billed_cost": Decimal(cost), "correction_billed_cost": Decimal(0), **more}  # fmt: skip


def alerted(books: Any, charges: list[dict[str, Any]], *past: dict[str, Any]) -> str:
    explanation: str = reconciled(books, charges, published_periods=list(past))[-1]["explanation"]
    return explanation if explanation.startswith("closed_period_changed") else ""


def test_an_invoiced_period_that_changes_after_it_was_published_is_an_alert(books: Any) -> None:
    assert alerted(books, [charge("a", "3")], published("2")).startswith(
        "closed_period_changed by 1 without a Correction: 2 was published on 2026-12-04"
    )
    assert not alerted(books, [charge("a", "2")], published("2"))


def test_a_correction_that_says_so_is_no_alert(books: Any) -> None:
    correction = charge("b", "-1", charge_class="Correction")

    assert not alerted(books, [charge("a", "3"), correction], published("3"))
    assert alerted(books, [charge("a", "4"), correction], published("3")).startswith("closed_period_changed by 1")


def test_a_period_that_was_open_and_an_invoice_without_a_name_may_change(books: Any) -> None:
    assert not alerted(books, [charge("a", "3")], published("2", night=date(2026, 11, 30)))
    assert not alerted(books, [charge("a", "3", invoice_id=None)], published("2", invoice_id=""))


def test_the_last_night_before_this_one_is_compared(books: Any) -> None:
    past = [published("1", night=date(2026, 12, 3)), published("3"), published("9", night=NIGHT)]

    assert not alerted(books, [charge("a", "3")], *past)


def test_a_closed_period_whose_charges_are_gone_is_an_alert(books: Any) -> None:
    assert alerted(books, [], published("2")).startswith("closed_period_changed by -2")
