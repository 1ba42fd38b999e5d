"""The Cost and Usage Report of AWS: what each type of line item costs, which rows are one, and what a split moves."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from native_bills import Row, charges, read_rows

LINE: Row = {
    "identity_line_item_id": "a",
    "identity_time_interval": "2026-11-20T00:00:00Z/2026-11-20T01:00:00Z",
    "bill_payer_account_id": "1000",
    "bill_billing_period_start_date": "2026-11-01T00:00:00.000Z",
    "bill_billing_period_end_date": "2026-12-01T00:00:00.000Z",
    "line_item_usage_account_id": "2000",
    "line_item_line_item_type": "Usage",
    "line_item_usage_start_date": "2026-11-20T00:00:00.000Z",
    "line_item_usage_end_date": "2026-11-20T01:00:00.000Z",
    "line_item_product_code": "AmazonEC2",
    "line_item_usage_type": "USE2-BoxUsage:p5.48xlarge",
    "line_item_resource_id": "i-1",
    "line_item_availability_zone": "us-east-2b",
    "line_item_usage_amount": "1.0",
    "line_item_currency_code": "USD",
    "line_item_unblended_cost": "98.32",
    "pricing_unit": "Hrs",
    "resource_tags": '{"user_team": "core"}',
}
PLAN = "arn:aws:savingsplans::1000:savingsplan/sp-1"
RESERVATION = "arn:aws:ec2:us-east-2:1000:reserved-instances/ri-1"


def one(tmp_path: Path, **cells: object) -> Row:
    """The charge that a line item becomes."""
    return charges(read_rows([{**LINE, **cells}], "aws_cur", tmp_path)).row(0, named=True)


def test_a_line_of_an_instance_says_where_what_and_whose_it_is(tmp_path: Path) -> None:
    charge = one(tmp_path)

    assert charge["billing_account_id"] == "1000"
    assert charge["sub_account_id"] == "2000"
    assert charge["instance_type"] == "p5.48xlarge"
    assert (charge["consumed_quantity"], charge["consumed_unit"]) == (Decimal(1), "Hrs")
    assert charge["region"] == "us-east-2"  # the report names the zone only
    assert charge["tags"] == '{"user_team":"core"}'


@pytest.mark.parametrize(
    ("kind", "cells", "category", "effective", "status"),
    [
        ("Usage", {}, "Usage", "98.32", None),
        ("SavingsPlanCoveredUsage", {"savings_plan_savings_plan_effective_cost": "60"}, "Usage", "60", "Used"),
        ("DiscountedUsage", {"reservation_effective_cost": "55.5"}, "Usage", "55.5", "Used"),
        ("SavingsPlanNegation", {"line_item_unblended_cost": "-98.32"}, "Usage", "0", None),
        (
            "SavingsPlanRecurringFee",  # 70 committed, 62.5 of it used: 7.5 for nothing
            {"savings_plan_total_commitment_to_date": "70", "savings_plan_used_commitment": "62.5"},
            "Purchase",
            "7.5",
            "Unused",
        ),
        (
            "RIFee",  # 3.25 of the fee paid ahead and 1.5 of the recurring one for hours that nobody used
            {
                "reservation_unused_amortized_upfront_fee_for_billing_period": "3.25",
                "reservation_unused_recurring_fee": "1.5",
            },
            "Purchase",
            "4.75",
            "Unused",
        ),
        ("SavingsPlanUpfrontFee", {"savings_plan_savings_plan_a_r_n": PLAN}, "Purchase", "0", None),
        ("Fee", {"reservation_reservation_a_r_n": RESERVATION}, "Purchase", "0", None),
        ("Fee", {}, "Purchase", "98.32", None),
        ("Tax", {}, "Tax", "98.32", None),
        ("Credit", {"line_item_unblended_cost": "-5"}, "Credit", "-5", None),
        ("Refund", {"line_item_unblended_cost": "-5"}, "Adjustment", "-5", None),
        ("EdpDiscount", {"line_item_unblended_cost": "-9.832"}, "Usage", "-9.832", None),
        ("PrivateRateDiscount", {"line_item_unblended_cost": "-1"}, "Usage", "-1", None),
        ("BundledDiscount", {"line_item_unblended_cost": "-1"}, "Usage", "-1", None),
    ],
)
def test_each_type_of_line_item_has_its_category_and_its_effective_cost(
    tmp_path: Path, kind: str, cells: Row, category: str, effective: str, status: str | None
) -> None:
    charge = one(tmp_path, line_item_line_item_type=kind, **cells)

    assert charge["charge_category"] == category
    assert charge["effective_cost"] == Decimal(effective)
    assert charge["commitment_discount_status"] == status
    assert charge["billed_cost"] == Decimal(str({**LINE, **cells}["line_item_unblended_cost"]))


def test_a_covered_usage_without_its_effective_cost_is_refused_and_not_free(tmp_path: Path) -> None:
    reading = read_rows([{**LINE, "line_item_line_item_type": "SavingsPlanCoveredUsage"}], "aws_cur", tmp_path)

    assert reading.refused.select("reason", "billed_cost").rows() == [("missing_cost", Decimal("98.32"))]


def test_a_type_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    reading = read_rows([{**LINE, "line_item_line_item_type": "FlatRateSubscription"}], "aws_cur", tmp_path)

    assert reading.refused["reason"].to_list() == ["missing_key"]


def test_equal_pairs_of_line_item_and_interval_are_one_charge_whatever_their_order(tmp_path: Path) -> None:
    later = {**LINE, "identity_time_interval": "2026-11-20T01:00:00Z/2026-11-20T02:00:00Z"}
    unequal = {**LINE, "line_item_unblended_cost": "1"}
    forward = read_rows([LINE, later, LINE, unequal], "aws_cur", tmp_path)
    backward = read_rows([unequal, LINE, later, LINE], "aws_cur", tmp_path)

    assert (forward.rows, forward.duplicates, backward.duplicates) == (4, 2, 2)
    assert forward.totals == backward.totals
    assert charges(forward).height == 2


def test_only_hours_of_an_instance_are_gpu_time(tmp_path: Path) -> None:
    unused = one(tmp_path, line_item_usage_type="USE2-UnusedBox:p5.48xlarge")
    negation = one(tmp_path, line_item_line_item_type="SavingsPlanNegation", line_item_unblended_cost="-98.32")
    optimised = one(tmp_path, line_item_usage_type="USE2-EBSOptimized:p5.48xlarge", line_item_unblended_cost="0")
    held = one(tmp_path, line_item_usage_type="USE2-Reservation:p5.48xlarge", line_item_unblended_cost="0")

    assert unused["capacity_reservation_status"] == "Unused"
    assert negation["consumed_quantity"] is None  # the covered usage has the hours
    assert optimised["instance_type"] is None
    assert (held["instance_type"], held["consumed_quantity"]) == ("p5.48xlarge", None)  # its instances have the hours
    dedicated = one(tmp_path, line_item_usage_type="USE2-DedicatedRes:p5.48xlarge", line_item_unblended_cost="0")
    assert dedicated["consumed_quantity"] is None


def test_the_legacy_report_has_its_own_spelling_and_tags_as_columns(tmp_path: Path) -> None:
    row = {
        "identity/LineItemId": "a",
        "identity/TimeInterval": "2026-11-20T00:00:00Z/2026-11-20T01:00:00Z",
        "bill/PayerAccountId": "1000",
        "bill/BillingPeriodStartDate": "2026-11-01T00:00:00.000Z",
        "bill/BillingPeriodEndDate": "2026-12-01T00:00:00.000Z",
        "lineItem/LineItemType": "Usage",
        "lineItem/UsageStartDate": "2026-11-20T00:00:00.000Z",
        "lineItem/UsageEndDate": "2026-11-20T01:00:00.000Z",
        "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": "1.81E-8",
        "resourceTags/user:team": "core",
        "resourceTags/aws:createdBy": "",
    }
    charge = charges(read_rows([row], "aws_cur", tmp_path)).row(0, named=True)

    assert charge["billed_cost"] == Decimal("0.0000000181")
    assert charge["tags"] == '{"user:team":"core"}'


PART: Row = {
    "identity_line_item_id": "part-1",
    "line_item_resource_id": "arn:aws:eks:pod/1",
    "line_item_usage_type": "USE2-EKS-EC2-vCPU-Hours",
    "line_item_unblended_cost": "0",
    "split_line_item_parent_resource_id": "i-1",
    "split_line_item_split_cost": "40",
    "split_line_item_unused_cost": "8.32",
    "resource_tags": '{"aws_eks_namespace": "research"}',
}


def test_a_split_moves_cost_from_the_instance_to_its_parts_and_the_sum_stays(tmp_path: Path) -> None:
    traffic = {
        **LINE,
        "identity_line_item_id": "b",
        "line_item_usage_type": "USE2-DataTransfer-Out-Bytes",
        "line_item_unblended_cost": "2",
    }
    reading = read_rows([LINE, traffic, {**LINE, **PART}], "aws_cur", tmp_path)

    # 98.32 of the instance: 40 + 8.32 go to the part, 50 stay; traffic of the same instance keeps its 2.
    assert charges(reading)["billed_cost"].to_list() == [Decimal(50), Decimal(2), Decimal("48.32")]
    assert charges(reading)["effective_cost"].to_list() == [Decimal(50), Decimal(2), Decimal("48.32")]
    assert reading.totals == {"USD": (Decimal("100.32"), Decimal("100.32"))}


def test_rows_of_a_split_that_come_twice_are_one_and_move_their_cost_once(tmp_path: Path) -> None:
    part = {**LINE, **PART}
    once = read_rows([LINE, part], "aws_cur", tmp_path)
    twice = read_rows([part, LINE, LINE, part], "aws_cur", tmp_path)

    assert (twice.rows, twice.duplicates) == (4, 2)
    assert once.totals == twice.totals == {"USD": (Decimal("98.32"), Decimal("98.32"))}
    assert sorted(charges(twice)["billed_cost"]) == [Decimal("48.32"), Decimal(50)]


@pytest.mark.parametrize(
    ("whole", "part", "reason", "billed"),
    [
        ({"line_item_currency_code": "XQQ"}, {}, "bad_currency", "0"),  # the part is one of what does not count
        ({"line_item_unblended_cost": "1,5"}, {}, "bad_decimal", "0"),
        ({"line_item_unblended_cost": ""}, {}, "missing_cost", "0"),
        ({}, {"line_item_currency_code": ""}, "bad_currency", "98.32"),  # and the whole keeps what did not leave it
        ({}, {"split_line_item_split_cost": "abc"}, "bad_decimal", "98.32"),
    ],
)
def test_a_refused_row_takes_part_in_no_split(tmp_path: Path, whole: Row, part: Row, reason: str, billed: str) -> None:
    reading = read_rows([{**LINE, **whole}, {**LINE, **PART, **part}], "aws_cur", tmp_path)

    assert reading.refused["reason"].to_list() == [reason]
    assert reading.totals == {"USD": (Decimal(billed), Decimal(billed))}


def test_a_part_with_the_line_item_of_its_parent_is_a_charge_of_its_own(tmp_path: Path) -> None:
    parts = [
        {
            **LINE,
            **PART,
            "identity_line_item_id": "a",
            "line_item_resource_id": name,
            "split_line_item_unused_cost": "0",
        }
        for name in ("pod/1", "pod/2")
    ]
    reading = read_rows([LINE, *parts], "aws_cur", tmp_path)

    # Of 98.32 each of two parts takes 40; 18.32 stay with the instance.
    assert charges(reading)["billed_cost"].to_list() == [Decimal("18.32"), Decimal(40), Decimal(40)]


def test_a_split_of_what_a_savings_plan_covers_moves_effective_cost_only(tmp_path: Path) -> None:
    covered = {
        **LINE,
        "line_item_line_item_type": "SavingsPlanCoveredUsage",
        "savings_plan_savings_plan_effective_cost": "60",
    }
    reading = read_rows([covered, {**LINE, **PART}], "aws_cur", tmp_path)

    assert charges(reading)["billed_cost"].to_list() == [Decimal("98.32"), Decimal(0)]
    assert charges(reading)["effective_cost"].to_list() == [Decimal("11.68"), Decimal("48.32")]


def test_a_part_whose_whole_is_not_in_the_report_costs_nothing_and_is_flagged(tmp_path: Path) -> None:
    reading = read_rows([{**LINE, **PART, "split_line_item_parent_resource_id": "i-9"}], "aws_cur", tmp_path)

    assert reading.totals == {"USD": (Decimal(0), Decimal(0))}
    assert "split_without_parent" in reading.flags


def test_a_refused_line_is_told_by_the_cell_that_is_at_fault(tmp_path: Path) -> None:
    bad = {"line_item_unblended_cost": "1,055.04"}, {"line_item_line_item_type": "EnterpriseFee"}
    rows = [{**LINE, **one, "identity_line_item_id": str(at)} for at, one in enumerate(bad)]
    refused = read_rows(rows, "aws_cur", tmp_path).refused
    assert refused.select("reason", "detail").rows() == [
        ("bad_decimal", "billed_cost: '1,055.04'"),
        ("missing_key", "charge_category: 'EnterpriseFee'"),
    ]
