"""The invented company as the tests of the report see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from bench.report_company import Company
from bench.report_tables import company_tables

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="session")
def company() -> Company:
    """Seven models, fourteen small ones, thirteen months."""
    return Company()


@pytest.fixture(scope="session")
def tables(company: Company) -> Tables:
    """Every table of the company's night."""
    return company_tables(company)


@pytest.fixture(scope="session")
def tables_of() -> Callable[[Company], Tables]:
    """Every table of another company."""
    return company_tables


@pytest.fixture(scope="session")
def built() -> dict[str, Any]:
    """When and as what the report is built."""
    return {"built_at": datetime(2026, 11, 22, 4, 0, tzinfo=UTC), "identity": "a" * 64, "revision": 1}
