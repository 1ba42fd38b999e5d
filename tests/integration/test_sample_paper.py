"""The index of the invented company's report: each number is what its query returns from the tables of the night."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import duckdb


def test_the_index_of_the_twin_is_what_each_query_returns_from_the_tables_of_the_night(sample_night: Path) -> None:
    twin = (sample_night / "var" / "published" / "current" / "leadership.html").read_text("utf-8")
    with duckdb.connect(str(sample_night / "var" / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.sql("SELECT position, query, value FROM reports.numbers ORDER BY position").pl().to_dicts()
        found = [connection.execute(row["query"]).fetchall()[0][0] for row in rows]
    assert len(rows) > 90
    for row, value in zip(rows, found, strict=True):
        printed = re.search(rf'<tr id="K-{row["position"]:02d}">.*?(−?[\d,]+\.\d{{12}})', twin, re.DOTALL)
        assert printed is not None, row
        amount = Decimal(printed[1].replace(",", "").replace("−", "-"))
        assert amount == row["value"], row
        gap = abs(Decimal(repr(value) if isinstance(value, float) else value) - amount)
        assert gap <= abs(amount) * Decimal("1e-9") + Decimal("1e-12"), row
