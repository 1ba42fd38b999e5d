"""The report as PDF and as HTML, from the same templates and the same values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import localcontext
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
import polars as pl
from markupsafe import Markup, escape

from templates import formats
from templates.figures import marks
from templates.pages.document import LEADERSHIP, Document, Edition, Page, document
from templates.pages.index import Ref
from templates.pages.night import Night
from templates.pages.page_frame import Identity
from templates.pages.summary import mover_words, summary
from templates.pages.thirds import thirds
from templates.typesetting import typeface
from templates.typesetting.backlinks import References
from templates.typesetting.layout_checks import prove
from templates.typesetting.pdf import printed
from templates.typesetting.title_lines import broken, fits

DIGITS: Final = 60
"""Digits in which pages add and subtract: all of any amount; the default of 28 would round the sum of a large bill."""

LANGUAGE: Final = "en"
PAPERS: Final = ("A4", "letter")
NEGATIVE: Final = re.compile(f"{formats.MINUS}[^ ]+")
NAME_LIMITS: Final = (24, 18, 14, 10, 7, 5, 3)


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
    with localcontext(prec=DIGITS):
        report = document(Night(tables, paper, earlier), Identity(identity, revision, built_at), edition)
        return printed(_composed(report, _print_style(paper)), report, attachments)


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
    with localcontext(prec=DIGITS):
        report = document(Night(tables, paper, earlier), Identity(identity, revision, built_at), edition)
        return _composed(report, _screen_style(paper), contents=1)


def thumbnails(tables: Mapping[str, pl.DataFrame], paper: str = "A4") -> dict[str, str]:
    """The figures that say most, by the name of what they show, each a whole SVG for places that show no PDF."""
    night = Night(tables, paper)
    first = summary(night)
    found = {
        "Where the money went": first.money_bar,
        "Thirteen months": first.columns,
        "Balance of three phases": thirds(night).figure,
    }
    return {name: str(figure) for name, figure in found.items() if figure is not None}


def _composed(report: Document, style: str, contents: int = 0) -> str:
    """The markup of the whole report, proved before it is laid out."""
    environment = environment_of(report)
    words = titles(environment, report)
    prove(report, words)
    ref = environment.get_template("furniture.html.j2").make_module({}).ref  # type: ignore[attr-defined]
    heads = [
        broken(title) + Markup("").join(ref(number) for number in page.value.title_refs if number is not None)
        for title, page in zip(words, report.pages, strict=True)
    ]
    return environment.get_template("report.html.j2").render(
        report=report,
        heads=heads,
        style=Markup(style),  # noqa: S704 - our own style sheets
        language=LANGUAGE,
        input_digest=report.refs[0].input_digest if report.refs else "none",
        has_contents=contents,
    )


def titles(environment: jinja2.Environment, report: Document) -> list[str]:
    """The message of each page as plain text, names as long as they fit."""
    macros = environment.get_template("titles.html.j2").module

    def written(page: Page, limit: int) -> str:
        return str(getattr(macros, page.kind)(page.value, limit).unescape()).strip()

    return [
        next((title for limit in NAME_LIMITS if fits(title := written(page, limit))), written(page, NAME_LIMITS[-1]))
        for page in report.pages
    ]


def environment_of(report: Document) -> jinja2.Environment:
    """Templates of this package only; text is escaped, and an unknown name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("templates", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _filters(report.night.money)
    environment.globals |= {"refs": References(), "marks": marks, "has_index": report.has_index}
    return environment


def _filters(money: formats.Money) -> dict[str, Callable[..., object]]:
    """What templates may do with a value; every form of a number is in `formats`."""
    return {
        "money": lambda value: money.short(_amount(value)),
        "change": lambda value: money.change(_amount(value)),
        "per_mtok": lambda value: money.per_mtok(_amount(value)),
        "percent": lambda value: formats.percent(_amount(value)),
        "whole_percent": lambda value: formats.whole_percent(_amount(value)),
        "exact": lambda value: formats.exact(_amount(value)),
        "plain": _plain,
        "plain_change": lambda value, places: formats.plain_change(_amount(value), places),
        "months": lambda value: formats.months(_amount(value)),
        "count": lambda value: formats.count(_amount(value)),
        "count_word": formats.count_word,
        "points": formats.points,
        "span": money.span,
        "lower_first": lambda words: words[:1].lower() + words[1:],
        "whole": lambda words: Markup('<span class="w">{}</span>').format(words),
        "signs_kept": _signs_kept,
        "day": formats.day,
        "name": formats.name,
        "fitted": formats.fitted,
        "mover": mover_words,
    }


def _signs_kept(words: str) -> Markup:
    """Text in which no line ends between a minus and its amount."""
    return Markup(NEGATIVE.sub(r'<span class="w">\g<0></span>', str(escape(words))))  # noqa: S704 - escaped here


def _plain(value: Ref | formats.Quantity, places: int = 0) -> str:
    return formats.plain(_amount(value), places)


def _amount(value: Ref | formats.Quantity) -> formats.Quantity:
    return value.value if isinstance(value, Ref) else value


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
