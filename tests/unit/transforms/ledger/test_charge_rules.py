"""Which account a charge goes to: the table of allocation rules, section 2, row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
END = datetime(2026, 11, 20, 11, tzinfo=UTC)


def ruled(books: Any, charge: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    row = {"charge_id": "c", "charge_start": START, "charge_end": END, "billed_cost": "1", "resource_id": "r", **charge}
    frame = books(charges=[row], rules=list(rules)).tables()["charge_rules"]
    found: dict[str, Any] = frame.row(0, named=True)
    return found


def to(target: str, **more: Any) -> dict[str, Any]:
    return {"field": "resource_id", "pattern": "r", "target": target, "target_id": f"the {target}", **more}


UNUSED = {"commitment_discount_status": "Unused"}


@pytest.mark.parametrize(
    ("charge", "target", "method", "account"),
    [
        ({}, "out_of_scope", "whole", "out_of_scope"),
        (UNUSED, "out_of_scope", "whole", "out_of_scope"),
        (UNUSED, "shared", "whole", "commitment_unused"),
        (UNUSED, "model", "whole", "commitment_unused"),
        (UNUSED, "deployment", "whole", "commitment_unused"),
        (UNUSED, "pool", "whole", "commitment_unused"),
        ({"capacity_reservation_status": "Unused"}, "pool", "whole", "commitment_unused"),
        ({"commitment_discount_status": "Used"}, "pool", "pool", None),
        ({}, "shared", "whole", "shared"),
        ({}, "model", "whole", "direct"),
        ({}, "deployment", "deployment", None),
        ({}, "pool", "pool", None),
        ({"charge_category": "Tax"}, "pool", "pool", None),
        ({"charge_class": "Correction", "billed_cost": "-1"}, "pool", "pool", None),
        ({"charge_category": "Purchase"}, "model", "whole", "direct"),
    ],
)
def test_the_target_of_the_rule_decides_unless_the_charge_is_unused(
    books: Any, charge: dict[str, Any], target: str, method: str, account: str | None
) -> None:
    row = ruled(books, charge, to(target, phase="pretraining"))

    assert (row["method"], row["account"]) == (method, account)
    assert row["rule"] == "attribution.csv line 2"


@pytest.mark.parametrize(
    ("charge", "account"),
    [
        (UNUSED, "commitment_unused"),
        ({"charge_category": "Tax"}, "adjustment"),
        ({"charge_category": "Credit"}, "adjustment"),
        ({"charge_category": "Adjustment"}, "adjustment"),
        ({"charge_class": "Correction"}, "adjustment"),
        ({"billed_cost": "-0.000000000001"}, "adjustment"),
        ({"billed_cost": "1", "effective_cost": "-1"}, "unallocated"),
        ({"charge_category": "Purchase"}, "unallocated"),
        ({}, "unallocated"),
    ],
)
def test_without_a_rule_the_kind_of_the_charge_decides(books: Any, charge: dict[str, Any], account: str) -> None:
    row = ruled(books, charge)

    assert (row["method"], row["account"]) == ("whole", account)


def test_a_charge_without_a_rule_says_what_no_rule_matched(books: Any) -> None:
    row = ruled(books, {"service_name": "Compute", "charge_description": "x" * 500})

    assert row["rule"].startswith("no rule matches: service_name=Compute, resource_id=r, charge_description=xxx")
    assert len(row["rule"]) == 200


def test_the_bill_of_a_day_names_the_rule_that_puts_charges_out_of_scope(books: Any) -> None:
    row = {"charge_start": START, "charge_end": END, "billed_cost": "1", "currency": "USD"}
    charges = [{**row, "charge_id": "in", "resource_id": "s"}, {**row, "charge_id": "out", "resource_id": "r"}]
    rules = [to("out_of_scope"), {"field": "resource_id", "pattern": "s", "target": "shared"}]
    days = books(charges=charges, rules=rules).tables()["billed_days"]
    assert dict(days.select("scope_rule", "billed_cost").iter_rows()) == {"attribution.csv line 2": 1, None: 1}


def test_an_unused_commitment_keeps_the_pool_of_its_rule_but_no_model(books: Any) -> None:
    assert ruled(books, UNUSED, to("pool"))["pool_id"] == "the pool"
    assert ruled(books, UNUSED, to("model", phase="inference"))["model_id"] is None


def test_the_date_of_the_rule_is_the_day_on_which_the_charge_starts(books: Any) -> None:
    rules = [to("shared", valid_to=date(2026, 11, 20)), to("out_of_scope", valid_from=date(2026, 11, 20))]

    assert ruled(books, {}, *rules)["account"] == "out_of_scope"
    assert ruled(books, {"charge_start": datetime(2026, 11, 19, 23, 59, tzinfo=UTC)}, *rules)["account"] == "shared"


def test_tags_are_found_without_blanks_and_case_in_their_keys(books: Any) -> None:
    tag = {"field": "tag:pool", "pattern": "p1", "target": "pool", "target_id": "p1"}

    assert ruled(books, {"tags": '{" Pool ": "P1"}'}, tag)["pool_id"] == "p1"
    assert ruled(books, {"tags": '{"other": "p1"}'}, tag)["method"] == "whole"


def test_every_field_of_a_charge_can_be_named(books: Any) -> None:
    fields = (
        "resource_id",
        "resource_name",
        "sub_account_id",
        "service_name",
        "sku_id",
        "charge_description",
        "region",
    )
    for name in fields:
        row = ruled(
            books, {"resource_id": None, name: "Some Value"}, {"field": name, "pattern": "some*", "target": "shared"}
        )
        assert row["account"] == "shared", name


def test_an_accrued_charge_goes_to_the_pool_of_its_rate_whatever_the_rules_say(books: Any) -> None:
    row = ruled(
        books,
        {"source": "accrual", "resource_id": "own-1"},
        {"field": "resource_id", "pattern": "*", "target": "shared"},
    )

    assert (row["method"], row["pool_id"], row["rule"]) == ("pool", "own-1", "rates.csv")
