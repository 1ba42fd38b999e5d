"""A page on which something does not fit gives that up and says so: the report is written all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from templates import render
from templates.pages.document import Document, document
from templates.pages.night import Night
from templates.pages.page_frame import Identity
from templates.typesetting.paper_fallback import LEFT_OUT
from templates.typesetting.pdf import printed

if TYPE_CHECKING:
    from bench.report_company import Company

UNBREAKABLE = '<span style="white-space:nowrap !important">' + "9" * 300 + "</span>"


@pytest.fixture(scope="module")
def paper_of(tables: Any, built: dict[str, Any], words_of: Callable[[bytes], list[str]]) -> Callable[[str], str]:
    """The words of a report of one page with this markup below its title."""
    whole = document(Night(tables), Identity(built["identity"], built["revision"], built["built_at"]))
    report = replace(whole, pages=whole.pages[:1])
    style = files("templates").joinpath("style.css").read_text("utf-8")

    def read(markup: str) -> str:
        def composed(squeezed: Mapping[str, int], joined: frozenset[str]) -> tuple[str, Document]:
            del squeezed, joined
            head = f"<html lang=en><head><title>x</title><style>{style}</style></head>"
            article = f'<article class="page" id="{report.pages[0].anchor}"><h1>The title</h1>{markup}</article>'
            return f"{head}<body>{article}</body></html>", report

        sheets = words_of(printed(composed, {}))
        assert len(sheets) == 2, "one sheet, and what follows its form feed"
        return " ".join(sheets[0].split()).removesuffix(" 1 of 1")

    return read


def test_a_number_wider_than_its_cell_is_set_smaller(paper_of: Callable[[str], str]) -> None:
    # nine digits, two commas and a sign take 7.6 pt type wider than 34 pt, 6 pt type less
    cell = (
        '<table style="table-layout:fixed;width:34pt"><tr><td class="n" style="padding:0">−1,234,567</td></tr></table>'
    )
    words = paper_of(f"<section><h2>Amounts</h2>{cell}</section>")
    assert "−1,234,567" in words
    assert LEFT_OUT not in words


def test_a_line_stands_for_the_part_that_cannot_be_set(paper_of: Callable[[str], str]) -> None:
    table = f"<table><tr><td>{UNBREAKABLE}</td></tr></table>"
    words = paper_of(f"<section><h2>Wide</h2>{table}</section><section><h2>Kept</h2><p>as it was</p></section>")
    assert words == f"The title Wide {LEFT_OUT} Kept as it was"


def test_the_rest_of_a_page_that_stays_too_long_is_left_out(paper_of: Callable[[str], str]) -> None:
    rows = "".join(f"<tr><td>row {place}</td></tr>" for place in range(200))
    words = paper_of(f"<p>The lead.</p><section><h2>Long</h2><table>{rows}</table></section>")
    assert words == f"The title The lead. Long {LEFT_OUT}"


def test_a_page_that_is_no_part_keeps_its_title_alone(paper_of: Callable[[str], str]) -> None:
    assert paper_of(f"<div>{UNBREAKABLE}</div>") == f"The title {LEFT_OUT}"


@pytest.mark.parametrize(
    ("factor", "currency"),
    [(Decimal(-3_000), "JPY"), (Decimal("0.00000001"), "USD")],
    ids=["credits of billions", "fractions of a cent"],
)
def test_a_company_has_its_report_however_large_or_small_its_amounts(
    company: Company,
    tables_of: Callable[..., Any],
    built: dict[str, Any],
    words_of: Callable[[bytes], list[str]],
    factor: Decimal,
    currency: str,
) -> None:
    lives = tuple(replace(life, name="W" * 90, owner="W" * 90) for life in company.lives[:1])
    tables = tables_of(replace(company, factor=factor, currency=currency, name="W" * 90, lives=lives))
    words = words_of(render.pdf(tables, attachments={}, **built))
    assert "effective cost" in words[0]
    assert LEFT_OUT not in " ".join(" ".join(words).split())
