"""The report as PDF and as HTML, from the same templates and the same values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import localcontext
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
import polars as pl
from markupsafe import Markup

from templates import formats
from templates.figures import marks
from templates.message import frozen, news_of
from templates.pages.document import Document, document
from templates.pages.edition import LEADERSHIP, Edition
from templates.pages.night import Night
from templates.pages.page_frame import Identity
from templates.pages.summary import summary
from templates.pages.thirds import thirds
from templates.twin import for_screens
from templates.typesetting import typeface
from templates.typesetting.layout_checks import prove
from templates.typesetting.title_lines import broken
from templates.wording import linked, marked, number_filters, wording

DIGITS: Final = 60
"""Digits in which pages add and subtract: all of any amount; the default of 28 would round the sum of a large bill."""

LANGUAGE: Final = "en"
PAPERS: Final = ("A4", "letter")


def pdf(
    tables: Mapping[str, pl.DataFrame],
    *,
    attachments: Mapping[str, bytes],
    built_at: datetime,
    identity: str,
    revision: int,
    paper: str = "A4",
    edition: Edition = LEADERSHIP,
    earlier: pl.DataFrame | None = None,
) -> bytes:
    """The report as PDF/A-3a with tags; equal arguments give equal bytes.

    Args:
        tables: The tables of the night by name.
        attachments: Exports that the file carries, by file name; none where it is empty.
        built_at: The clock of the run.
        identity: Digest of the night's manifest; the file's identifier is made from it.
        revision: 1, or which re-issue of the night this is.
        paper: A4 or letter.
        edition: Whose cut it is.
        earlier: Number_id and value of the numbers of the revision before; page B prints what changed.

    Raises:
        ReportFault: Something cannot be printed as it should be; nothing is written.
    """
    from templates.typesetting.pdf import printed  # noqa: PLC0415 - only who draws loads the typesetter

    with localcontext(prec=DIGITS), _names_apart(tables):
        identified = Identity(identity, revision, built_at)

        def composed(squeezed: Mapping[str, int], joined: frozenset[str]) -> tuple[str, Document]:
            report = document(Night(tables, paper, earlier, squeezed), identified, edition)
            return _composed(report, _print_style(paper), joined=joined), report

        return printed(composed, attachments)


def html(
    tables: Mapping[str, pl.DataFrame],
    *,
    built_at: datetime,
    identity: str,
    revision: int,
    paper: str = "A4",
    edition: Edition = LEADERSHIP,
    earlier: pl.DataFrame | None = None,
) -> str:
    """The report as one HTML file that needs nothing else; arguments as of `pdf`."""
    with localcontext(prec=DIGITS), _names_apart(tables):
        report = document(Night(tables, paper, earlier), Identity(identity, revision, built_at), edition)
        return _composed(report, _screen_style(paper), is_screen=True)


def message(
    tables: Mapping[str, pl.DataFrame],
    *,
    built_at: datetime,
    identity: str,
    revision: int,
    paper: str = "A4",
    earlier: pl.DataFrame | None = None,
) -> bytes:
    """The content of message.json, which mail and chat send; arguments as of `pdf`."""
    with localcontext(prec=DIGITS), _names_apart(tables):
        report = document(Night(tables, paper, earlier), Identity(identity, revision, built_at))
        return frozen(news_of(report))


def _names_apart(tables: Mapping[str, pl.DataFrame]) -> AbstractContextManager[None]:
    """Within it no model's name is shortened to what another's is shortened to."""
    return formats.beside(tables["models"]["model_id"])


def thumbnails(tables: Mapping[str, pl.DataFrame], paper: str = "A4") -> dict[str, str]:
    """The figures that say most, by the name of what they show, each a whole SVG for places that show no PDF."""
    with _names_apart(tables):
        night = Night(tables, paper)
        first = summary(night)
        drawn = {
            "Thirteen months": first.columns,
            "Thirds of the company": first.thirds,
            "Balance of three phases": thirds(night).figure,
        }
    return {name: str(figure) for name, figure in drawn.items() if figure is not None}


def _composed(report: Document, style: str, *, is_screen: bool = False, joined: frozenset[str] = frozenset()) -> str:
    """The markup of the whole report, proved before it is laid out; pages of `joined` go on below the one before."""
    prove(report)
    environment = environment_of(report, is_screen=is_screen)
    address = _address(report, is_screen=is_screen)
    heads = [
        Markup("<br>").join(
            Markup('<span class="line">{}</span>').format(marked(line, address))
            for line in broken(page.title).split("\n")
        )
        for page in report.pages
    ]
    composed = environment.get_template("report.html.j2").render(
        report=report,
        heads=heads,
        style=Markup(style),  # noqa: S704 - our own style sheets
        language=LANGUAGE,
        input_digest=report.refs[0].input_digest if report.refs else "none",
        has_contents=is_screen,
        joined=joined,
    )
    return for_screens(composed) if is_screen else composed


def _address(report: Document, *, is_screen: bool) -> Callable[[str], str]:
    """Where a number leads: to its row of the index on the screen, to the index's place on paper."""
    if not report.has_index:
        return lambda _: ""
    return (lambda k: f"#{k}") if is_screen else (lambda _: "#provenance")


def environment_of(report: Document, *, is_screen: bool = False) -> jinja2.Environment:
    """Templates of this package only; text is escaped, and an unknown name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("templates", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    address = _address(report, is_screen=is_screen)
    environment.filters |= number_filters(report.night.money) | {
        "marked": lambda words: marked(words, address),
        "whole": lambda words: Markup('<span class="w">{}</span>').format(words),
        "fitted": formats.fitted,
    }
    environment.globals |= {
        "marks": marks,
        "is_screen": is_screen,
        "has_reconciliation": any(page.kind == "reconciliation" for page in report.pages),
        "words": _Words(report.night),
        "linked_number": lambda number, words: marked(linked(words, number), address),
    }
    return environment


class _Words:
    """The macros of templates/words by topic, for templates that take a sentence by its code."""

    def __init__(self, night: Night) -> None:
        self._environment = wording(night.money.currency).environment

    def __getattr__(self, topic: str) -> object:
        return self._environment.get_template(f"{topic}.j2").module


@cache
def _sheet(name: str) -> str:
    return files("templates").joinpath(name).read_text("utf-8")


@cache
def _print_style(paper: str) -> str:
    size = "\n@page { size: letter; margin: 20mm 18.95mm 15mm 18.95mm; }" if paper == "letter" else ""
    return f"{_sheet('style.css')}{size}"


@cache
def _screen_style(paper: str) -> str:
    size = "\n@page { size: letter; }" if paper == "letter" else ""
    return f"{typeface.faces_inside()}\n{_sheet('style.css')}{size}\n{_sheet('screen.css')}"
