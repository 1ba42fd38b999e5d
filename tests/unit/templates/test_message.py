"""The message about a night says what its report says, decision first."""

from __future__ import annotations

from typing import Any

import pytest

from templates import render
from templates.message import Cover, MessageError, chat, held, news, thawed
from templates.pages.edition import LEADERSHIP, Edition

NIGHT = "2026-11-21"


@pytest.fixture(scope="module")
def frozen(tables: Any, built: dict[str, Any]) -> bytes:
    return render.message(tables, **built)


def cover(edition: Edition = LEADERSHIP, revision: int = 1, company: str = "Example AI") -> Cover:
    return Cover(company, NIGHT, revision, edition, "The report:", "https://r.example.com/leadership.pdf")


def test_the_subject_is_the_decision_and_what_it_is_worth(frozen: bytes) -> None:
    assert news(frozen, cover()).subject == "Example AI: Approve 2 decisions: $4.32M a year for $1.45M"


def test_it_says_cost_and_landing_then_each_decision_with_its_money(frozen: bytes) -> None:
    text = news(frozen, cover()).text.replace("\u00a0", " ")

    assert "October cost $4.36M, 18 % over plan; 2026 is heading for" in text
    assert "- Retrain Atlas-70B at 39 B: $2.40M in twelve months for $1.45M once" in text
    assert "The report: https://r.example.com/leadership.pdf" in text


def test_every_sentence_of_it_is_one_of_the_frozen_document(frozen: bytes) -> None:
    told = thawed(frozen)
    text = news(frozen, cover()).text

    assert all(words in text for words in (told.cost, told.lead, told.trust, *told.lines))
    assert all(title in text for kind, title in told.titles if kind != "summary")


def test_nothing_unprintable_and_no_mark_is_left_in_it(frozen: bytes) -> None:
    message = news(frozen, cover())

    assert not [sign for sign in ("None", "nan", "{{", "\ue000", "\ue003") if sign in message.text + message.html]


def test_finance_hears_what_its_own_pages_say(frozen: bytes) -> None:
    message = news(frozen, cover(Edition("finance")))

    assert "Decisions asked for" not in message.text
    assert message.text.startswith("Cost ")


def test_a_revision_says_so_first(frozen: bytes) -> None:
    assert news(frozen, cover(revision=2)).subject.startswith("REVISED r2: Example AI: ")


def test_markup_in_a_name_stays_text_in_html_and_in_chat(frozen: bytes) -> None:
    strange = cover(company="<img src=x>{{ 7 * 7 }}")
    message = news(frozen, strange)

    assert "&lt;img src=x&gt;{{ 7 * 7 }}" in message.html
    assert "<img" not in message.html
    assert chat(frozen, strange).headline.startswith("<img src=x>{{ 7 * 7 }}: ")


def test_a_chat_gets_the_decision_the_cost_and_a_link(frozen: bytes) -> None:
    message = chat(frozen, cover())

    assert message.headline == "Example AI: Approve 2 decisions: $4.32M a year for $1.45M"
    assert message.lines[0].startswith("October cost $4.36M, 18\u00a0% over plan")
    assert message.lines[1].startswith("1. Retrain Atlas-70B")
    assert message.lines[-1].startswith("Night 2026-11-21. ")
    assert message.link == "https://r.example.com/leadership.pdf"
    assert chat(frozen, cover(revision=2)).headline.startswith("REVISED r2: Example AI: ")


def test_it_loads_nothing_from_anywhere(frozen: bytes) -> None:
    message = news(frozen, cover())

    assert not [word for word in ("src=", "url(", "<link", "<script", "@import") if word in message.html]


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[]"])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(MessageError, match="publish it again"):
        news(content, cover())


def test_a_held_night_says_why_in_bounds() -> None:
    message = held("held: too_many_rejected: " + "x\r\n" * 50_000, "The report of 2026-11-20 stands.", cover())

    assert message.subject.startswith("Example AI: 2026-11-21 could not be published: too_many_rejected")
    assert len(message.subject) <= 180
    assert len(message.text) < 2_000
    assert "\r" not in message.subject + message.text
