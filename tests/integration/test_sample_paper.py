"""The invented company's report on paper: its text says what the tables of the night hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest


def test_the_text_of_the_pdf_is_what_each_query_returns_from_the_tables_of_the_night(sample_night: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed: the text of the PDF is not compared with the tables")
    paper = sample_night / "var" / "published" / "current" / "leadership.pdf"
    ran = subprocess.run([reader, "-layout", str(paper), "-"], capture_output=True, text=True, check=True)
    with duckdb.connect(str(sample_night / "var" / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.sql("SELECT position, query, value FROM reports.numbers ORDER BY position").pl().to_dicts()
        found = [connection.execute(row["query"]).fetchall()[0][0] for row in rows]
    assert len(rows) > 90
    for row, value in zip(rows, found, strict=True):
        printed = re.search(rf"^ *K-{row['position']:02d} .*?(−?[\d,]+\.\d{{12}})", ran.stdout, re.MULTILINE)
        assert printed is not None, row
        amount = Decimal(printed[1].replace(",", "").replace("−", "-"))
        assert amount == row["value"], row
        gap = abs(Decimal(repr(value) if isinstance(value, float) else value) - amount)
        assert gap <= abs(amount) * Decimal("1e-9") + Decimal("1e-12"), row
