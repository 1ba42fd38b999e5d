"""The invented company as the tests of the report see it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from bench.report_company import Company
from bench.report_tables import company_tables
from templates import formats

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


@pytest.fixture(scope="session")
def words_of() -> Callable[[bytes], list[str]]:
    """The text of each sheet of paper, as a reader without pictures has it."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed: the text of the PDF is not compared with the tables")

    def read(written: bytes) -> list[str]:
        ran = subprocess.run([reader, "-layout", "-", "-"], input=written, capture_output=True, check=True)
        return ran.stdout.decode().replace("\u00a0", " ").replace("\u200a", " ").split("\f")

    return read


def forms_of(value: Decimal) -> set[str]:
    """Every way in which the report prints a number."""
    money = formats.Money("USD")
    size = abs(value)
    plain = {formats.plain(value, places) for places in (0, 1, 2)} | {
        formats.count_word(int(size)),
        formats.count_word(int(size)).lower(),
        formats.count(value),
    }
    ratios = {form(number) for form in (formats.percent, formats.whole_percent) for number in (value, size)}
    amounts = {form(number) for form in (money.short, money.change, money.per_mtok) for number in (value, size)}
    scaled = {formats.tokens_in_words(value)[0], formats.months(value), formats.whole_percent(value, plus="+")}
    scaled.add(formats.times(size))
    return plain | ratios | amounts | {amount.removeprefix("$") for amount in amounts} | scaled


@pytest.fixture(scope="session")
def printed_forms() -> Callable[[Decimal], set[str]]:
    """Every way in which the report prints a number."""
    return forms_of
