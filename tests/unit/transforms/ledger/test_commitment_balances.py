"""Used + unused = purchase, per commitment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from transforms.ledger.commitment_balances import commitments

START = datetime(2026, 11, 1, tzinfo=UTC)


def row(name: str, billed: str, effective: str, **more: Any) -> dict[str, Any]:
    return {"charge_id": name, "charge_start": START, "charge_end": START + timedelta(days=20), "billed_cost": billed,
            "effective_cost": effective, "commitment_discount_id": "r", **more}  # fmt: skip


def judged(books: Any, *charges: dict[str, Any]) -> dict[str, Any]:
    frames = books(charges=list(charges), night_end=datetime(2026, 11, 21, tzinfo=UTC)).tables()
    found: dict[str, Any] = commitments(frames["billed_days"], frames["settings"]).row(0, named=True)
    return found


PURCHASE = row("p", "100", "0", charge_category="Purchase")
USED = row("u", "0", "70.5", commitment_discount_status="Used")
UNUSED = row("x", "0", "29.5", commitment_discount_status="Unused")


def test_used_and_unused_add_up_to_the_purchase(books: Any) -> None:
    found = judged(books, PURCHASE, USED, UNUSED, row("other", "5", "5", commitment_discount_id=None))

    assert [found[name] for name in ("purchased_cost", "used_cost", "unused_cost", "remaining_cost")] == [
        Decimal(100),
        Decimal("70.5"),
        Decimal("29.5"),
        Decimal(0),
    ]
    assert (found["first_day"], found["last_day"], found["is_over"]) == (date(2026, 11, 1), date(2026, 11, 20), True)
    assert (found["is_balanced"], found["explanation"]) == (True, "used and unused add up to the purchase")


@pytest.mark.parametrize(
    ("charges", "is_balanced", "explanation"),
    [
        ([{**PURCHASE, "charge_end": START + timedelta(days=365)}, USED], True, "its term is not over"),
        ([PURCHASE, USED], False, "its term is over and a part of the purchase was never consumed"),
        ([PURCHASE, USED, {**UNUSED, "effective_cost": "40"}], False, "more was consumed than bought"),
        ([USED, UNUSED], False, "its purchase is in no bill that is known"),
        ([PURCHASE, USED, {**UNUSED, "effective_cost": "29.495"}], True, "used and unused add up to the purchase"),
    ],
)
def test_what_does_not_add_up_is_said(
    books: Any, charges: list[dict[str, Any]], explanation: str, *, is_balanced: bool
) -> None:
    found = judged(books, *charges)

    assert (found["is_balanced"], found["explanation"]) == (is_balanced, explanation)


def test_unused_rows_of_category_purchase_are_no_purchase(books: Any) -> None:
    # native AWS fee rows are purchases whose effective cost is the unused part
    found = judged(books, PURCHASE, USED, {**UNUSED, "charge_category": "Purchase"})

    assert (found["purchased_cost"], found["unused_cost"]) == (Decimal(100), Decimal("29.5"))
