"""Every sentence of the report and of its messages: words from templates/words, asked for by code, with typed numbers.

A sentence is plain text. A number that can be traced and a word that counts stand between marks of the private use
area, which no name can hold (`printable` replaces them): pages turn the marks into links and bold type, `unmarked`
takes them out for titles that are measured, alternative texts and messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

import jinja2
from markupsafe import Markup, escape

from templates import formats
from templates.pages.index import Ref

LINK, SHOWN, END, BOLD, LIGHT = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
MARKED: Final = re.compile(f"{LINK}([^{SHOWN}]*){SHOWN}([^{END}]*){END}")
MARKS: Final = re.compile(f"{LINK}[^{SHOWN}]*{SHOWN}|[{END}{BOLD}{LIGHT}]")
ALMOST_ALL: Final = 0.995
SPACES: Final = re.compile(r"[ \n]+")
TOGETHER: Final = re.compile(r"[−+]\$[\d.,]*\d[kMBT]?")
"""A sign and the dollars behind it, between which a line could break."""
WIDOW: Final = re.compile(r" (?=[^\W\d_]{1,8}[.,;:]?$)")
LONG_TEXT: Final = 80


class Wording:
    """The words of one currency."""

    def __init__(self, money: formats.Money) -> None:
        """Templates of this package only; an unknown name is an error."""
        self.environment = jinja2.Environment(
            loader=jinja2.PackageLoader("templates", "words"),
            autoescape=False,  # noqa: S701 - the words are plain text: pages and messages escape them
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters |= number_filters(money) | {"linked": linked, "bold": bold}

    def say(self, topic: str, code: str, *facts: object, **named: object) -> str:
        """The sentence of a code: macro `code` of templates/words/`topic`.j2."""
        macro: Callable[..., str] = getattr(self.environment.get_template(f"{topic}.j2").module, code)
        return SPACES.sub(" ", str(macro(*facts, **named))).strip()


@cache
def wording(currency: str) -> Wording:
    """The words in a currency, compiled once."""
    return Wording(formats.Money(currency))


def linked(words: str, number: Ref | None) -> str:
    """A number as printed, between marks that lead to its row of the index."""
    return words if number is None else f"{LINK}{number.k}{SHOWN}{words}{END}"


def bold(words: str) -> str:
    """Words that count."""
    return f"{BOLD}{words}{LIGHT}"


def unmarked(words: str) -> str:
    """The text alone."""
    return MARKS.sub("", words)


def marked(words: str, address: Callable[[str], str]) -> Markup:
    """The text as markup: links under numbers, bold type, and no line break between a minus and its amount."""
    shown = TOGETHER.sub(r'<span class="w">\g<0></span>', str(escape(_without_widow(words))))
    shown = MARKED.sub(
        lambda reference_match: _number(reference_match[1], reference_match[2], address(reference_match[1])), shown
    )
    return Markup(shown.replace(BOLD, "<b>").replace(LIGHT, "</b>"))  # noqa: S704 - escaped above


def _without_widow(words: str) -> str:
    """A text of several lines whose last short word does not stand alone on the last of them."""
    return WIDOW.sub("\u00a0", words) if len(unmarked(words)) >= LONG_TEXT else words


def _number(k: str, words: str, address: str) -> str:
    if not address:
        return f'<span class="num">{words}</span>'
    return f'<a class="num" href="{address}" data-k="{k}">{words}</a>'


def number_filters(money: formats.Money) -> dict[str, Callable[..., object]]:
    """What words and pages may do with a value; every form of a number is in `formats`."""
    return {
        "money": lambda value: money.short(_amount(value)),
        "change": lambda value: money.change(_amount(value)),
        "per_mtok": lambda value: money.per_mtok(_amount(value)),
        "percent": lambda value: formats.percent(_amount(value)),
        "whole_percent": lambda value: formats.whole_percent(_amount(value)),
        "chance": lambda value: formats.chance(_amount(value)),
        "factor": lambda value: formats.factor(_amount(value)),
        "times": lambda value: formats.times(_amount(value)),
        "exact": lambda value: formats.exact(_amount(value)),
        "plain": _plain,
        "plain_change": lambda value, places: formats.plain_change(_amount(value), places),
        "months": lambda value: formats.months(_amount(value)),
        "tokens": lambda value: formats.tokens(_amount(value)),
        "count": lambda value: formats.count(_amount(value)),
        "count_word": formats.count_word,
        "points": formats.points,
        "span": money.span,
        "lower_first": lambda words: words[:1].lower() + words[1:],
        "upper_first": lambda words: words[:1].upper() + words[1:],
        "day": formats.day,
        "day_month": formats.day_month,
        "month": formats.month,
        "month_year": formats.month_year,
        "name": formats.name,
        "listed": listed,
        "all_or_share": lambda ratio: "all" if ratio >= ALMOST_ALL else formats.whole_percent(ratio),
    }


def listed(words: list[str]) -> str:
    """Names in a row: one, two and three."""
    return " and ".join(", ".join(words).rsplit(", ", 1))


def _plain(value: Ref | formats.Quantity, places: int = 0) -> str:
    return formats.plain(_amount(value), places)


def _amount(value: Ref | formats.Quantity) -> formats.Quantity:
    return value.value if isinstance(value, Ref) else value
