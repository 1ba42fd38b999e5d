"""The e-mail about a night: the sentences of the published report itself, as plain text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder

import jinja2

from templates import colours, formats
from templates.pages.document import Edition
from templates.sentences import shortened
from templates.typesetting.typeface import printable

COMPANY_LIMIT: Final = 40
SUBJECT_LIMIT: Final = 180
REASON_LIMIT: Final = 1_200
ENDLESS: Final = ("br", "hr", "img", "link", "meta")
WHY: Final = "td[@class='why']"
UNTOLD: Final = ("sheet", "method")


class MessageError(ValueError):
    """A published report has no sentences to send: what, where, what to do."""


@dataclass(frozen=True)
class Cover:
    """Which report an e-mail covers, and what of it the reader gets."""

    company: str
    night: str
    revision: int
    edition: Edition
    enclosure: str
    link: str = ""


@dataclass(frozen=True)
class Message:
    """One e-mail, before anybody's address is on it."""

    subject: str
    text: str
    html: str


def news(report: str, cover: Cover) -> Message:
    """What the e-mail about a published night says: title and lead of its first page, what is asked, the other titles.

    Args:
        report: The HTML twin as it was published; every sentence is taken from it, none is made anew.
        cover: Which report it is, and what of it the reader gets.

    Raises:
        MessageError: The report has no page of that edition.
    """
    root = _tree(report)
    pages = [page for page in root.iter("article") if cover.edition.has(_kind(page), None)]
    if not pages:
        raise MessageError(f"the report of {cover.night} has no page for {cover.edition.audience}; publish it again")
    stamps = [_words(stamp) for stamp in root.findall(".//*[@class='stamp']")]
    title = _words(pages[0].find("h1"))
    revised = f"REVISED r{cover.revision}: " if cover.revision > 1 else ""
    return _written(
        subject=f"{revised}{_company(cover)}: {title}",
        headline=title,
        paragraphs=[_words(pages[0].find("p[@class='lead']"))],
        lists=[("Decisions asked for", _requests(pages[0])), ("Also in the report", _titles(pages[1:]))],
        cover=cover,
        footer=f"Night {cover.night}, revision {cover.revision}, {', '.join(stamps)}. "
        "Every sentence stands in the report, with the source of each number.",
    )


def held(reason: str, standing: str, cover: Cover) -> Message:
    """What the e-mail about a night says that could not be published."""
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


def _written(*, subject: str, cover: Cover, **said: object) -> Message:
    """The sentences in both forms; the plain text is as complete as the HTML."""
    words = {**said, "company": _company(cover), "enclosure": cover.enclosure, "link": cover.link, "colours": colours}
    environment = _environment()
    return Message(
        subject=shortened(" ".join(subject.replace(formats.NBSP, " ").split()), SUBJECT_LIMIT),
        text=environment.get_template("message.txt.j2").render(words),
        html=environment.get_template("message.html.j2").render(words),
    )


@cache
def _environment() -> jinja2.Environment:
    """Text is escaped where it becomes HTML; plain text is not markup."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("templates", ""),
        autoescape=jinja2.select_autoescape(enabled_extensions=(), disabled_extensions=("txt.j2",), default=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _company(cover: Cover) -> str:
    return formats.name(cover.company, COMPANY_LIMIT)


def _kind(page: Element) -> str:
    return page.get("class", "").rpartition(" ")[2]


def _titles(pages: list[Element]) -> list[str]:
    """The messages of the pages that are about the whole company."""
    return [_words(page.find("h1")) for page in pages if _kind(page) not in UNTOLD]


def _requests(page: Element) -> list[str]:
    """What is asked for, and why now."""
    rows = page.findall(".//table[@class='requests']/tbody/tr")
    return [f"{_words(row.find('th'))}: {_words(row.find(WHY))}" for row in rows]


def _words(element: Element | None) -> str:
    """The text of an element without its references to the index."""
    return " ".join("".join(_pieces(element)).split(" ")).strip() if element is not None else ""


def _pieces(element: Element) -> Iterator[str]:
    if element.get("class") == "k":
        return
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""


class _Reader(HTMLParser):
    """Reads our own markup into a tree; nothing in it is fetched or run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tree = TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self.tree.start(tag, {key: value or "" for key, value in attrs})
        if tag in ENDLESS:
            self.tree.end(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element closes."""
        if tag not in ENDLESS:
            self.tree.end(tag)

    def handle_data(self, data: str) -> None:
        """Text stands in it."""
        self.tree.data(data)


def _tree(report: str) -> Element:
    reader = _Reader()
    reader.feed(report)
    reader.close()
    return reader.tree.close()
