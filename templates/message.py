"""The message about a night: frozen beside the report from the same document, and sent as it is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jinja2

from templates import colours, formats
from templates.pages.document import Document
from templates.pages.edition import Edition
from templates.pages.summary import Summary
from templates.typesetting.line_count import shortened
from templates.typesetting.typeface import printable
from templates.wording import unmarked

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPANY_LIMIT: Final = 40
SUBJECT_LIMIT: Final = 180
REASON_LIMIT: Final = 1_200
CHAT_LINES: Final = 3
UNTOLD: Final = ("sheet", "method")


class MessageError(ValueError):
    """A published report has no sentences to send: what, where, what to do."""


@dataclass(frozen=True)
class AskedDecision:
    """One decision of page 1: what, what it saves a month and costs once, and by when it must be signed."""

    decision: str
    saving: str
    one_off: str
    sign_by: str


@dataclass(frozen=True)
class News:
    """What a published night says to those who do not open the report, as plain text; written into message.json.

    `titles` are the messages of the pages by kind, in their order.
    """

    night: str
    revision: int
    stamps: tuple[str, ...]
    titles: tuple[tuple[str, str], ...]
    subject: str
    cost: str
    lead: str
    decisions: tuple[AskedDecision, ...]
    lines: tuple[str, ...]
    trust: str


@dataclass(frozen=True)
class Cover:
    """Which report a message covers, and what of it the reader gets."""

    company: str
    night: str
    revision: int
    edition: Edition
    enclosure: str
    link: str = ""


@dataclass(frozen=True)
class Message:
    """One message, before anybody's address is on it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Chat:
    """One message of a chat: plain text in which nothing is markup yet, and the address of the report, if any."""

    headline: str
    lines: tuple[str, ...]
    link: str = ""


def news_of(report: Document) -> News:
    """The message of a report that was just made: decision and date first, then cost, then what else changed.

    Raises:
        MessageError: The report has no page 1.
    """
    night = report.night
    first = next((page.value for page in report.pages if page.kind == "summary"), None)
    if not isinstance(first, Summary):
        raise MessageError(f"the report of {night.subject['as_of']} has no page 1 to take a message from")
    titles = tuple((page.kind, unmarked(page.title)) for page in report.pages if page.kind not in UNTOLD)
    asked = tuple(
        AskedDecision(
            row.decision,
            night.money.short(amounts["next_year_saving_usd_p50"]),
            night.money.short(amounts["one_off_usd_p50"]),
            row.sign_by if row.sign_by != formats.UNKNOWN else "",
        )
        for row, amounts in zip(first.requests, first.asked, strict=True)
    )
    news = (item.words for _, items in first.since.columns for item in items if item.mark is not None)
    return News(
        night=formats.day(night.subject["as_of"]),
        revision=report.identity.revision,
        stamps=report.furniture.stamps,
        titles=titles,
        subject=unmarked(night.say("message", "subject", first, dict(titles)["summary"])),
        cost=unmarked(night.say("message", "cost", first)),
        lead=unmarked(" ".join(words for words in first.lead if words)),
        decisions=asked,
        lines=tuple(unmarked(words) for words in (*first.notes, *news)),
        trust=unmarked(first.trust.words),
    )


def frozen(news: News) -> bytes:
    """The content of message.json."""
    return json.dumps(asdict(news), ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def thawed(content: bytes) -> News:
    """The message of a published night as it was frozen.

    Raises:
        MessageError: The content is not such a message.
    """
    try:
        document: dict[str, Any] = json.loads(content)
        document["decisions"] = tuple(AskedDecision(**row) for row in document["decisions"])
        document["titles"] = tuple((str(kind), str(title)) for kind, title in document["titles"])
        document |= {name: tuple(document[name]) for name in ("stamps", "lines")}
        return News(**document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MessageError("message.json of the night cannot be read; publish it again") from error


def news(content: bytes, cover: Cover) -> Message:
    """The message about a published night to one audience.

    Args:
        content: message.json as it was published; no sentence is made anew.
        cover: Which report it is, and what of it the reader gets.

    Raises:
        MessageError: The report has no page of that edition, or the content is no message.
    """
    published_news = thawed(content)
    titles = [title for kind, title in published_news.titles if cover.edition.has(kind, None)]
    if not titles:
        raise MessageError(f"the report of {cover.night} has no page for {cover.edition.audience}; publish it again")
    is_whole = cover.edition.has("summary", None)
    revised = f"REVISED r{cover.revision}: " if cover.revision > 1 else ""
    headline = published_news.subject if is_whole else titles[0]
    stamps = ", ".join(published_news.stamps)
    return _written(
        subject=f"{revised}{_company(cover)}: {headline}",
        headline=headline,
        paragraphs=[published_news.cost, published_news.lead] if is_whole else [],
        lists=[
            ("Decisions asked for", [_asked(row) for row in published_news.decisions] if is_whole else []),
            ("Since the last report", published_news.lines if is_whole else ()),
            ("Also in the report", titles[1:]),
        ],
        cover=cover,
        footer=f"Night {cover.night}, revision {cover.revision}, {stamps}. {published_news.trust}.",
    )


def _asked(row: AskedDecision) -> str:
    by = f", sign by {row.sign_by}" if row.sign_by else ""
    cost = f"for {row.one_off} once" if any(digit in row.one_off for digit in "123456789") else "at no one-off cost"
    return f"{row.decision}: {row.saving} in twelve months {cost}{by}"


def chat(content: bytes, cover: Cover) -> Chat:
    """The same message for a chat: decision, cost, what is asked for, three lines and the trust.

    Raises:
        MessageError: The content is no message.
    """
    published_news = thawed(content)
    asked = (f"{number}. {_asked(row)}" for number, row in enumerate(published_news.decisions, start=1))
    revised = f"REVISED r{cover.revision}: " if cover.revision > 1 else ""
    return Chat(
        headline=f"{revised}{_company(cover)}: {published_news.subject}",
        lines=(
            published_news.cost,
            *asked,
            *published_news.lines[:CHAT_LINES],
            f"Night {cover.night}. {published_news.trust}.",
        ),
        link=cover.link,
    )


def held(reason: str, standing: str, cover: Cover) -> Message:
    """What the message about a night says that could not be published."""
    shown = shortened(printable(reason[: 4 * REASON_LIMIT]).removeprefix("held: "), REASON_LIMIT)
    sentence = f"{cover.night} could not be published: {shown}"
    return _written(
        subject=f"{_company(cover)}: {sentence}",
        headline=f"{cover.night} could not be published",
        paragraphs=[f"{shown}.", standing],
        lists=[],
        cover=cover,
        footer=f"Night {cover.night}, held. `trisect status` says the same.",
    )


def alert(headline: str, sentence: str, remedy: str, cover: Cover) -> Message:
    """What the e-mail about a night says that has failed, is missing or has new doubts."""
    shown = shortened(printable(sentence[: 4 * REASON_LIMIT]), REASON_LIMIT)
    return _written(
        subject=f"{_company(cover)}: {cover.night} {headline}: {shown}",
        headline=f"{cover.night} {headline}",
        paragraphs=[f"{shown}.", remedy],
        lists=[],
        cover=cover,
        footer=f"Night {cover.night}. `trisect status` says the same.",
    )


def _written(
    *,
    subject: str,
    headline: str,
    paragraphs: Sequence[str],
    lists: Sequence[tuple[str, Sequence[str]]],
    cover: Cover,
    footer: str,
) -> Message:
    """The sentences in both forms; the plain text is as complete as the HTML."""
    words = {
        "headline": headline, "paragraphs": paragraphs, "lists": lists, "footer": footer, "company": _company(cover),
        "enclosure": cover.enclosure, "link": cover.link, "colours": colours,
    }  # fmt: skip
    environment = markup_environment()
    return Message(
        subject=shortened(" ".join(subject.replace(formats.NBSP, " ").split()), SUBJECT_LIMIT),
        text=environment.get_template("message.txt.j2").render(words),
        html=environment.get_template("message.html.j2").render(words),
    )


@cache
def markup_environment() -> jinja2.Environment:
    """Text is escaped where it becomes HTML; plain text is not markup."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("templates", ""),
        autoescape=jinja2.select_autoescape(enabled_extensions=(), disabled_extensions=("txt.j2",), default=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _company(cover: Cover) -> str:
    return formats.company(cover.company, COMPANY_LIMIT)
