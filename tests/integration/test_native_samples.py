"""Real bills of three clouds, to the last digit of their totals."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "warehouse"))

from native_bills import charges, read_file

HALF_UNIT = Decimal("5e-13")


def test_the_legacy_report_of_aws_adds_up(shared: Path, tmp_path: Path) -> None:
    reading = read_file(
        shared / "data/native_billing_aws_cur/sample-anonymous-aws-export-dataset.csv", "aws_cur", tmp_path
    )

    assert (reading.rows, reading.refused.height, reading.duplicates) == (1281, 0, 0)
    assert reading.totals == {"USD": (Decimal("1.682308697400"), Decimal("1.682308697400"))}
    assert charges(reading)["charge_category"].value_counts(sort=True).rows() == [("Usage", 1269), ("Tax", 12)]


def test_the_actual_costs_of_azure_add_up(shared: Path, tmp_path: Path) -> None:
    reading = read_file(shared / "data/native_billing_azure_ea/EA_ActualCost_Small.csv", "azure_cost", tmp_path)

    assert (reading.rows, reading.refused.height) == (11, 0)
    billed, effective = reading.totals["USD"]
    assert billed + reading.rounding_residual == Decimal("8.545007786741936800")
    assert billed == effective  # nothing is amortised in this view
    assert reading.flags == ("no_amortised_view",)


def test_the_amortised_costs_of_azure_add_up_though_some_have_24_decimals(shared: Path, tmp_path: Path) -> None:
    reading = read_file(shared / "data/native_billing_azure_more/EA_AmortizedCost_Small.csv", "azure_cost", tmp_path)

    assert (reading.rows, reading.refused.height) == (28, 0)
    billed, effective = reading.totals["USD"]
    exact = Decimal("16.29693213663664462748541900")
    assert abs(exact - effective) < 28 * HALF_UNIT
    # Two rows are covered by a reservation and a savings plan: consumed here, billed with the commitment.
    assert effective - billed == Decimal("0.493152") + Decimal("0.006000000468")
    assert reading.flags == ("no_actual_view",)


def test_an_anonymised_export_of_azure_adds_up(shared: Path, tmp_path: Path) -> None:
    file = shared / "data/native_billing_azure_more/sample-anonymous-ea-export-dataset.csv"
    reading = read_file(file, "azure_cost", tmp_path)

    assert (reading.rows, reading.refused.height) == (27, 0)
    billed, _ = reading.totals["CAD"]
    assert billed + reading.rounding_residual == Decimal("1.26136926505726")


def test_the_cost_report_of_oci_adds_up_with_what_rounding_took(shared: Path, tmp_path: Path) -> None:
    reading = read_file(shared / "data/native_billing_oci/reports_cost-csv_0000000030000269.csv", "oci_cost", tmp_path)

    assert (reading.rows, reading.refused.height) == (506, 0)
    billed, effective = reading.totals["USD"]
    assert billed + reading.rounding_residual == Decimal("2.523589325400648027")
    assert billed == effective
    assert charges(reading)["charge_class"].null_count() == 506  # backreferenceNo is filled and makes no correction
