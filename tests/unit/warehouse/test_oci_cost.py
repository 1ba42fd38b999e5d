"""OCI cost reports: overage is added, only a flag makes a correction, and a usage report is no bill."""

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
    "lineItem/referenceNo": "7108a1",
    "lineItem/tenantId": "ocid1.tenancy",
    "lineItem/intervalUsageStart": "2026-11-20T10:00Z",
    "lineItem/intervalUsageEnd": "2026-11-20T11:00:00Z",
    "product/service": "COMPUTE",
    "product/compartmentId": "ocid1.compartment",
    "product/resourceId": "ocid1.instance",
    "usage/billedQuantity": "8",
    "cost/productSku": "B98415",
    "product/Description": "Compute - GPU - BM.GPU.H100.8",
    "cost/myCost": "80",
    "cost/myCostOverage": "",
    "cost/currencyCode": "USD",
    "cost/billingUnitReadable": "1 NONE HOURS GPU",
    "cost/skuUnitDescription": "GPU Per Hour",
    "lineItem/isCorrection": "false",
    "lineItem/backreferenceNo": "17053",
    "tags/DevRel.team": "core",
}


def one(tmp_path: Path, **cells: object) -> Row:
    """The charge that a row becomes."""
    return charges(read_rows([{**ROW, **cells}], "oci_cost", tmp_path)).row(0, named=True)


def test_a_row_is_an_hour_of_a_resource_in_its_month(tmp_path: Path) -> None:
    charge = one(tmp_path)

    assert charge["charge_start"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (charge["billing_period_start"], charge["billing_period_end"]) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (charge["instance_type"], charge["consumed_unit"]) == ("BM.GPU.H100.8", "GPU-Hours")
    assert charge["tags"] == '{"DevRel.team":"core"}'
    assert charge["charge_class"] is None  # a back reference alone corrects nothing


def test_overage_is_added_before_the_sum_is_rounded(tmp_path: Path) -> None:
    # 6E-13 + 6E-13 = 1.2E-12; each rounded by itself would give 2E-12.
    charge = one(tmp_path, **{"cost/myCost": "6E-13", "cost/myCostOverage": "0.0000000000006"})

    assert charge["billed_cost"] == charge["effective_cost"] == Decimal("1e-12")


def test_a_correction_is_one_that_says_so(tmp_path: Path) -> None:
    assert one(tmp_path, **{"lineItem/isCorrection": "true", "cost/myCost": "-80"})["charge_class"] == "Correction"


def test_the_older_usage_report_is_refused_with_the_name_of_the_right_one(tmp_path: Path) -> None:
    usage = {name: cell for name, cell in ROW.items() if not name.startswith("cost/")}
    with pytest.raises(RejectedFile, match="reports/cost-csv/"):
        read_rows([usage], "oci_cost", tmp_path)
