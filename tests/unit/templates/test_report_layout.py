"""The pages fit their paper, whatever the names and the amounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from templates import render
from templates.proofs import ReportFault

if TYPE_CHECKING:
    from bench.report_company import Company

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


def test_a_month_of_nearly_a_trillion_fits(
    company: Company, tables_of: Callable[..., Any], built: dict[str, Any]
) -> None:
    assert printed(tables_of(replace(company, factor=Decimal(229_000), currency="EUR")), built).startswith(b"%PDF")


def test_a_sign_that_our_fonts_lack_fails_in_our_own_words(tables: Any, built: dict[str, Any]) -> None:
    shown = tables["pages"]
    pages = shown.with_columns(reason=shown["reason"].fill_null("✗ 日"), is_shown=shown["page"] != "waste")
    with pytest.raises(ReportFault, match="bundled font"):
        printed({**tables, "pages": pages}, built)
