"""The quick sums of a bill: right where everything is plain, and silent where anything is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.sources.billing import control_totals, focus
from warehouse.sources.billing.control_columns import ControlColumns, Totals
from warehouse.sources.billing.control_totals import OpinionsDifferError
from warehouse.sources.billing.control_totals_fast import column_totals
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source

HEADER = "Tags,BilledCost,BillingCurrency,EffectiveCost\n"
SOURCE = Source("cloud", "gpu_billing", "focus", "inbox/*")
FOCUS_COLUMNS = ControlColumns(focus.layout, ("billed_cost",), ("effective_cost",))
FOCUS_TOTALS = control_totals.of_columns(FOCUS_COLUMNS)


def sums(folder: Path, content: str, constant: str | None = None) -> Totals | None:
    path = folder / "bill.csv"
    path.write_bytes(content.encode())
    return column_totals(path, replace(FOCUS_COLUMNS.of(SOURCE), constant=constant))


def test_costs_are_added_up_exactly_by_currency(tmp_path: Path) -> None:
    rows = '"{""a"": 1}",0.1,USD,0.2\n"two\nlines, one record",1e-3,EUR,-5\n,0.2,usd,0.000000000001\n'

    assert sums(tmp_path, "\ufeff" + HEADER + rows) == {
        "USD": (Decimal("0.3"), Decimal("0.200000000001")),
        "EUR": (Decimal("0.001"), Decimal(-5)),
    }


def test_one_cost_stands_for_both_and_a_constant_for_the_currency(tmp_path: Path) -> None:
    assert sums(tmp_path, "x,BilledCost\n1,2.5\n1,3\n", "eur") == {"EUR": (Decimal("5.5"), Decimal("5.5"))}


@pytest.mark.parametrize(
    "rows",
    [
        ",0.1,USD,\n",
        ",NULL,USD,1\n",
        ",0.1234567890123,USD,1\n",
        ",12 ,USD,1\n",
        ",NaN,USD,1\n",
        ",100000000000000000000,USD,1\n",
        ",1,USD\n",
        ",1,USD,1,1\n",
        "  \n,1,USD,1\n",
    ],
)
def test_anything_that_is_not_plain_is_left_to_the_careful_reader(tmp_path: Path, rows: str) -> None:
    assert sums(tmp_path, HEADER + ",1,USD,1\n" + rows) is None


@pytest.mark.parametrize(
    "content", ["", "\n" + HEADER, "a,b\n1,2\n", "BilledCost,BilledCost\n1,2\n", '{"BilledCost": 1}\n']
)
def test_a_header_that_is_not_plain_is_left_to_the_careful_reader(tmp_path: Path, content: str) -> None:
    assert sums(tmp_path, content) is None


def parquet(folder: Path, **costs: pa.Array) -> Totals | None:
    path = folder / "bill.parquet"
    pq.write_table(pa.table({"BillingCurrency": ["USD", "USD"], **costs}), path)
    return column_totals(path, FOCUS_COLUMNS.of(SOURCE))


def test_doubles_of_parquet_are_added_up_by_their_shortest_decimals(tmp_path: Path) -> None:
    # 0.1 + 0.2 is 0.3 and no 0.30000000000000004
    found = parquet(tmp_path, BilledCost=pa.array([0.1, 0.2]), EffectiveCost=pa.array([1e-6, -98.32]))

    assert found == {"USD": (Decimal("0.3"), Decimal("-98.319999"))}


@pytest.mark.parametrize("cells", [[0.1, None], [0.1, float("nan")], [0.1, 1e-13], [0.1, 1e25]])
def test_parquet_cells_that_are_not_plain_are_left_to_the_careful_reader(
    tmp_path: Path, cells: list[float | None]
) -> None:
    assert parquet(tmp_path, BilledCost=pa.array(cells), EffectiveCost=pa.array([1.0, 1.0])) is None


def test_a_total_that_neither_way_finds_is_an_error_that_names_both(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(HEADER + ",1,USD,1\n")
    delivered = Delivered("inbox/a.csv", "ab" * 32, 1, path, datetime(2026, 11, 20, tzinfo=UTC))
    again = FOCUS_TOTALS(delivered, SOURCE, Reading(1, {}))
    control_totals.compare(delivered, Reading(1, {}, totals={"USD": (Decimal(1), Decimal(1))}), again)
    with pytest.raises(OpinionsDifferError, match=r"inbox/a\.csv in USD: billed 2, effective 1 against 1"):
        control_totals.compare(delivered, Reading(1, {}, totals={"USD": (Decimal(2), Decimal(1))}), again)


def test_a_narrow_float_is_the_shortest_decimal_that_names_it_for_both_readers(tmp_path: Path) -> None:
    path = tmp_path / "bill.parquet"
    cells = {"BilledCost": pa.array([10.1, None], pa.float32()), "EffectiveCost": pa.array([0.5, 0.25], pa.float16())}
    pq.write_table(pa.table({**cells, "BillingCurrency": ["USD", "USD"]}), path)
    delivered = Delivered("inbox/a.parquet", "ab" * 32, 1, path, datetime(2026, 11, 20, tzinfo=UTC))
    refused = pl.DataFrame(
        {"location": ["row 2"], "reason": ["missing_cost"], "detail": [None]}, schema_overrides={"detail": pl.String}
    )
    reading = Reading(2, {}, refused, totals={"USD": (Decimal("10.1"), Decimal("0.5"))})

    control_totals.compare(delivered, reading, FOCUS_TOTALS(delivered, SOURCE, reading))
