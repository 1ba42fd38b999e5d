"""Azure cost details: two views of one money, dates by month and day, and units of several hours."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.sources.reader_protocol import RejectedFile

sys.path.insert(0, str(Path(__file__).parent))

from native_bills import Row, charges, read_rows

ROW: Row = {
    "BillingAccountId": "8611537",
    "BillingPeriodStartDate": "11/01/2026",
    "BillingPeriodEndDate": "11/30/2026",
    "Date": "11/20/2026",
    "SubscriptionId": "sub-1",
    "MeterCategory": "Virtual Machines",
    "MeterId": "m-1",
    "Quantity": "24",
    "UnitOfMeasure": "1 Hour",
    "Cost": "2400",
    "UnitPrice": "100",
    "BillingCurrency": "USD",
    "ResourceId": "/subscriptions/sub-1/resourceGroups/g/virtualMachines/nd-1",
    "ChargeType": "Usage",
    "PricingModel": "OnDemand",
    "AdditionalInfo": '{"UsageType":"ComputeHR","ServiceType":"Standard_ND96isr_H100_v5"}',
    "Tags": '"team": "core","env": "prod"',
}
RESERVED: Row = {**ROW, "PricingModel": "Reservation", "ReservationId": "r-1", "Cost": "1500"}


def one(tmp_path: Path, file: str = "bill.csv", **cells: object) -> Row:
    """The charge that a row becomes."""
    return charges(read_rows([{**ROW, **cells}], "azure_cost", tmp_path, file)).row(0, named=True)


def test_a_row_is_a_day_of_a_machine(tmp_path: Path) -> None:
    charge = one(tmp_path)

    assert charge["charge_start"] == datetime(2026, 11, 20, tzinfo=UTC)
    assert charge["charge_end"] == datetime(2026, 11, 21, tzinfo=UTC)
    assert (charge["billing_period_start"], charge["billing_period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (charge["instance_type"], charge["resource_name"]) == ("Standard_ND96isr_H100_v5", "nd-1")
    assert charge["contracted_cost"] == Decimal(2400)  # 24 hours at 100
    assert charge["tags"] == '{"env":"prod","team":"core"}'  # the outer braces were missing


@pytest.mark.parametrize("written", ["11/20/2026", "2026-11-20", "2026-11-20T00:00:00Z"])
def test_dates_are_month_and_day_or_iso(tmp_path: Path, written: str) -> None:
    assert one(tmp_path, Date=written)["charge_start"] == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_column_is_written_in_one_way_and_a_cell_in_another_is_no_date(tmp_path: Path) -> None:
    reading = read_rows([ROW, {**ROW, "Date": "2026-11-20"}, {**ROW, "Date": "13/20/2026"}], "azure_cost", tmp_path)

    assert reading.refused.select("location", "reason").rows() == [("line 3", "bad_date"), ("line 4", "bad_date")]


@pytest.mark.parametrize(
    "dates",
    [
        {"Date": "20/11/2026", "BillingPeriodStartDate": "01/11/2026", "BillingPeriodEndDate": "30/11/2026"},
        {"Date": "05/11/2026", "BillingPeriodStartDate": "01/11/2026", "BillingPeriodEndDate": "30/11/2026"},
    ],
)
def test_dates_that_a_spreadsheet_wrote_day_first_are_refused_and_not_taken_for_other_months(
    tmp_path: Path, dates: Row
) -> None:
    with pytest.raises(RejectedFile, match="day/month/year"):
        read_rows([{**ROW, **dates}], "azure_cost", tmp_path)


@pytest.mark.parametrize(("unit", "hours"), [("1 Hour", 24), ("10 Hours", 240), ("100 Hours", 2400)])
def test_a_unit_of_several_hours_is_so_many_hours(tmp_path: Path, unit: str, hours: int) -> None:
    charge = one(tmp_path, UnitOfMeasure=unit)

    assert (charge["consumed_quantity"], charge["consumed_unit"]) == (Decimal(hours), "Hours")


def test_the_licence_of_a_machine_is_no_second_machine(tmp_path: Path) -> None:
    assert one(tmp_path, MeterCategory="Virtual Machines Licenses")["instance_type"] is None


def test_the_amortised_view_consumes_what_the_actual_view_bills(tmp_path: Path) -> None:
    amortised = read_rows([ROW, RESERVED], "azure_cost", tmp_path)
    actual = read_rows(
        [ROW, {**RESERVED, "Cost": "0"}, {**RESERVED, "ChargeType": "Purchase", "Cost": "9000"}], "azure_cost", tmp_path
    )

    assert amortised.totals == {"USD": (Decimal(2400), Decimal(3900))}
    assert actual.totals == {"USD": (Decimal(11400), Decimal(11400))}
    assert charges(amortised)["cost_view"].unique().to_list() == ["amortized"]
    assert charges(actual)["cost_view"].unique().to_list() == ["actual"]


def test_a_path_that_names_its_view_is_believed(tmp_path: Path) -> None:
    assert one(tmp_path, "inbox/azure/amortized/part_0_0001.csv")["cost_view"] == "amortized"
    assert one(tmp_path, "inbox/azure/ActualCost/part_0_0001.csv", **RESERVED)["cost_view"] == "actual"
    assert one(tmp_path, "inbox/contractual/part.csv")["cost_view"] == "actual"
    assert one(tmp_path, "inbox/contractual/part.csv", **RESERVED)["cost_view"] == "amortized"


@pytest.mark.parametrize("kind", ["UnusedReservation", "UnusedSavingsPlan"])
def test_what_nobody_used_of_a_commitment_is_unused_usage(tmp_path: Path, kind: str) -> None:
    charge = one(tmp_path, ChargeType=kind, PricingModel="Reservation", ReservationId="r-1")

    assert (charge["charge_category"], charge["commitment_discount_status"]) == ("Usage", "Unused")
    assert (charge["billed_cost"], charge["effective_cost"]) == (Decimal(0), Decimal(2400))


def test_the_spelling_of_a_customer_agreement_is_read_too(tmp_path: Path) -> None:
    renamed = {"Cost": "costInBillingCurrency", "BillingCurrency": "billingCurrency", "Date": "date"}
    row = {renamed.get(name, name): cell for name, cell in ROW.items()}
    assert read_rows([row], "azure_cost", tmp_path).totals == {"USD": (Decimal(2400), Decimal(2400))}


def test_more_decimals_than_money_has_are_rounded_to_even_and_kept_as_a_residual(tmp_path: Path) -> None:
    reading = read_rows(
        [{**ROW, "Cost": "0.0000000000025"}, {**ROW, "Cost": "0." + "0" * 23 + "9"}], "azure_cost", tmp_path
    )

    assert reading.totals == {"USD": (Decimal("2e-12"), Decimal("2e-12"))}
    assert reading.rounding_residual == Decimal("0.0000000000005")  # and 9e-24, which 18 decimals do not show
