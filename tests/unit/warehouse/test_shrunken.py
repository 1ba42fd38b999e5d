"""A delivery with under half the rows or the cost of the one that it replaces is no delivery: where half begins."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from warehouse.landing.supersession import BillFile, DeliveredUnit, Held, Unit, UnitDelivery, shrunken

SEEN = datetime(2026, 11, 20, tzinfo=UTC)


def delivery(name: str, rows: int, cost: str) -> UnitDelivery:
    at = BillFile(f"inbox/{name}.csv", name, "", None, SEEN)
    return UnitDelivery(name, [Held(at, rows, Decimal(cost), None, SEEN, SEEN)])


@pytest.mark.parametrize(
    ("rows", "cost", "falls"),
    [
        (5, "50", False),
        (4, "50", True),  # 4 of 10 rows
        (5, "49.99", True),  # 49.99 of 100 dollars
        (5, "0", True),
        (9, "-1", True),
    ],
)
def test_under_half_of_the_rows_or_of_the_cost_is_too_little(rows: int, cost: str, *, falls: bool) -> None:
    unit = Unit("account", date(2026, 11, 1))
    each = DeliveredUnit(unit, delivery("new", rows, cost), [delivery("old", 10, "100")], [])

    assert [(one.reason, one.files) for one in shrunken([each])] == [("shrunken", ["inbox/new.csv"])] * falls


def test_a_credit_note_may_shrink_to_nothing() -> None:
    unit = Unit("account", date(2026, 11, 1))

    assert shrunken([DeliveredUnit(unit, delivery("new", 10, "0"), [delivery("old", 10, "-100")], [])]) == []
