"""The pages fit their paper, whatever the names and the amounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bench.report import large
from templates import formats, render
from templates.table_unit import TableUnit
from templates.typesetting.layout_checks import ReportFault

if TYPE_CHECKING:
    from bench.report_company import Company

MOST_PAGES = 24
PHASES = ("pretraining", "posttraining", "inference")
HOSTILE = (
    "W" * 100_000,
    '<link rel=attachment href="file:///etc/passwd">',
    "{{7*7}}",
    "日本語モデル",
    "\u202eevil",
    "",
    "ﷺ",
)


def printed(tables: Any, built: dict[str, Any], paper: str = "A4") -> bytes:
    """A PDF is only written when nothing overflows, pages keep their number, and all glyphs are ours."""
    return render.pdf(tables, attachments={}, paper=paper, **built)


def test_everything_fits_us_letter(tables: Any, built: dict[str, Any]) -> None:
    assert printed(tables, built, "letter").startswith(b"%PDF")


def test_hostile_names_fit_and_embed_nothing(
    company: Company, tables_of: Callable[..., Any], built: dict[str, Any]
) -> None:
    lives = tuple(replace(life, name=name, owner=name * 3) for life, name in zip(company.lives, HOSTILE, strict=False))
    written = printed(tables_of(replace(company, lives=lives, name="<b>{{x}}</b>" * 9)), built)
    assert b"/EmbeddedFile" not in written


def test_a_long_name_takes_one_line_of_the_foot(
    company: Company, tables_of: Callable[..., Any], built: dict[str, Any], words_of: Callable[[bytes], list[str]]
) -> None:
    # models with a decision alone have a sheet, so all of them are given long names
    lives = tuple(replace(life, name=f"{'W' * 30}{place}{'W' * 30}") for place, life in enumerate(company.lives))
    pages = words_of(printed(tables_of(replace(company, lives=lives)), built))
    sheet = next(page for page in pages if "Cost so far" in page)
    assert re.search(r"W+…W+", sheet.splitlines()[-2] + sheet.splitlines()[-1])


def test_hundreds_of_models_end_in_one_line_that_keeps_the_sum(
    tables_of: Callable[..., Any], built: dict[str, Any], words_of: Callable[[bytes], list[str]]
) -> None:
    tables = tables_of(large(700))
    pages = words_of(printed(tables, built))
    page = next(page for page in pages if "Every model" in page and "small models" in page)
    # the seven a hundred times over, 41.36 million each time: 4,136 and no decimals, which leaves no room
    spent = sum(sum(row[f"{phase}_usd"] for phase in PHASES) for row in tables["thirds"].to_dicts())
    assert len(pages) - 1 <= MOST_PAGES
    assert re.search(r"6\d\d small models", page)
    assert f"{formats.rounded(spent / 10**6, 0):,f}" in page


def test_credits_larger_than_all_cost_are_said_and_nothing_is_drawn(
    company: Company, tables_of: Callable[..., Any], built: dict[str, Any], words_of: Callable[[bytes], list[str]]
) -> None:
    words = "\n".join(words_of(printed(tables_of(replace(company, factor=Decimal(-1))), built)))
    assert "Credits are larger than its cost" in words
    assert "Credits are larger than the cost of every model." in words
    assert not re.search(r"(?m)^\s*0\.0000\b", words)
    assert "= 100 %" not in words


@pytest.mark.parametrize(
    ("largest", "total", "words"),
    [(19_400_000, 59_000_000_000, "59,000 US$ million"), (19_400_000, 41_000_000, "41.00 US$ million"),
     (400_000, 9_000_000_000_000, "9.00 US$ trillion"), (40, 400, "400 US$")],
)  # fmt: skip
def test_a_total_of_thousands_of_rows_leaves_the_rows_readable(largest: int, total: int, words: str) -> None:
    unit = TableUnit.of_rows(formats.Money("USD"), [Decimal(largest)], Decimal(total))
    assert f"{unit.cell(Decimal(total))} {unit.words}" == words


def test_a_month_of_nearly_a_trillion_fits(
    company: Company, tables_of: Callable[..., Any], built: dict[str, Any]
) -> None:
    assert printed(tables_of(replace(company, factor=Decimal(229_000), currency="EUR")), built).startswith(b"%PDF")


def test_a_sign_that_our_fonts_lack_fails_in_our_own_words(tables: Any, built: dict[str, Any]) -> None:
    shown = tables["pages"]
    pages = shown.with_columns(reason=shown["reason"].fill_null("✗ 日"), is_shown=shown["page"] != "amortization")
    with pytest.raises(ReportFault, match="bundled font"):
        printed({**tables, "pages": pages}, built)
