"""The invented company's report, written once for all golden pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.report_company import Company
from bench.report_tables import company_tables
from templates import render


@pytest.fixture(scope="session")
def report() -> str:
    """The whole report as HTML."""
    return render.html(
        company_tables(Company()), built_at=datetime(2026, 11, 22, 4, 0, tzinfo=UTC), identity="a" * 64, revision=1
    )
