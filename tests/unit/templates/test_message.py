"""The e-mail about a night says what its report says."""

from __future__ import annotations

from typing import Any

import pytest

from templates import render
from templates.message import Cover, MessageError, held, news
from templates.pages.document import LEADERSHIP, Edition

NIGHT = "2026-11-21"


@pytest.fixture(scope="module")
def twin(tables: Any, built: dict[str, Any]) -> str:
    return render.html(tables, **built)


def cover(edition: Edition = LEADERSHIP, revision: int = 1, company: str = "Example AI") -> Cover:
    return Cover(company, NIGHT, revision, edition, "The report:", "https://r.example.com/leadership.pdf")


def test_it_says_title_and_lead_of_page_1_the_decisions_and_the_messages_of_the_other_pages(twin: str) -> None:
    message = news(twin, cover())
    headline, lead, asked, also, link, footer = message.text.strip().split("\n\n")

    assert message.subject == f"Example AI: {headline}".replace("\u00a0", " ")
    assert lead.startswith("Cost ")
    assert lead.endswith(" asked for below.")
    assert asked.startswith("Decisions asked for\n- ")
    assert also.count("\n- ") == 8  # pages 2 to 8 and A; B and the sheets have no message for all
    assert link == "The report: https://r.example.com/leadership.pdf"
    assert "revision 1, PRELIMINARY" in footer or "revision 1, FINAL" in footer


def test_no_reference_and_nothing_unprintable_is_left_in_it(twin: str) -> None:
    message = news(twin, cover())

    assert not [sign for sign in ("K-0", "None", "nan", "{{", "\u200a") if sign in message.text]


def test_finance_hears_what_its_own_pages_say(twin: str) -> None:
    message = news(twin, cover(Edition("finance")))

    assert "Decisions asked for" not in message.text
    assert message.text.startswith("Cost ")


def test_a_revision_says_so_first(twin: str) -> None:
    assert news(twin, cover(revision=2)).subject.startswith("REVISED r2: Example AI: ")


def test_markup_in_a_name_stays_text_in_html(twin: str) -> None:
    message = news(twin, cover(company="<img src=x>{{ 7 * 7 }}"))

    assert "&lt;img src=x&gt;{{ 7 * 7 }}" in message.html
    assert "<img" not in message.html


def test_it_loads_nothing_from_anywhere(twin: str) -> None:
    message = news(twin, cover())

    assert not [word for word in ("src=", "url(", "<link", "<script", "@import") if word in message.html]


def test_a_page_that_is_no_report_is_refused() -> None:
    with pytest.raises(MessageError, match="publish it again"):
        news("<html><body><p>nothing</p></body></html>", cover())


def test_a_held_night_says_why_in_bounds() -> None:
    message = held("held: too_many_rejected: " + "x\r\n" * 50_000, "The report of 2026-11-20 stands.", cover())

    assert message.subject.startswith("Example AI: 2026-11-21 could not be published: too_many_rejected")
    assert len(message.subject) <= 180
    assert len(message.text) < 2_000
    assert "\r" not in message.subject + message.text
