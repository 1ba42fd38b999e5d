"""How a number or a name is printed: the only rounding for display."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from templates.typesetting.typeface import (
    CONDENSED,
    LEFT_TO_RIGHT_MARK,
    PLACEHOLDER,
    SEMIBOLD,
    distinction,
    is_ambiguous,
    printable,
    text_width,
)

Quantity = Decimal | float | int

NBSP: Final = "\u00a0"
MINUS: Final = "−"
UNKNOWN: Final = "–"
ELLIPSIS: Final = "…"
SCALES: Final = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
SCALE_WORDS: Final = ((Decimal(10) ** 12, "trillion"), (Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million"))
SYMBOLS: Final = {"USD": "$"}
COUNT_WORDS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)
"""Wide enough for the digits of any amount; the default has 28."""
LEAST_BASE: Final = Decimal(1000)
HALF: Final = Decimal("0.5")
HALF_A_CENT: Final = Decimal("0.005")
NAME_LIMIT: Final = 40
LONGEST_NAME: Final = 320
LEAST_ROOM: Final = 4
LEAST_HEAD: Final = 2
_BESIDE: ContextVar[frozenset[str]] = ContextVar("names beside a name", default=frozenset())
BOXES: Final = re.compile(f"{PLACEHOLDER}+")


def decimal(value: Quantity) -> Decimal:
    """Any number as a decimal, floating point by its shortest text."""
    return value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)


def signed(text: str, value: Decimal, *, plus: str = "") -> str:
    """A printed amount with its true minus, or with `plus` before a positive one."""
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS}{text}" if value < 0 else f"{plus}{text}"


def rounded(value: Decimal, places: int) -> Decimal:
    """Rounded half up, away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), context=EXACT)


def significant(value: Decimal, digits: int = 3) -> Decimal:
    """Rounded to so many significant digits."""
    return rounded(value, digits - 1 - value.adjusted()) if value else Decimal(0)


def _digits(value: Decimal, digits: int = 3) -> str:
    return f"{significant(value, digits):,f}"


def _scaled(value: Decimal, scales: tuple[tuple[Decimal, str], ...]) -> tuple[Decimal, str]:
    """The value in the largest unit that leaves at least one before the point, after rounding to three digits."""
    shown = significant(value)
    return next(((shown / scale, unit) for scale, unit in scales if shown >= scale), (value, ""))


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


LARGE_PRICE: Final = 10_000


@dataclass(frozen=True)
class Money:
    """Amounts in the reporting currency."""

    currency: str

    @property
    def symbol(self) -> str:
        """What stands before an amount: a sign for US dollars, else the ISO code and a no-break space."""
        return SYMBOLS.get(self.currency, f"{self.currency}{NBSP}")

    @property
    def heading(self) -> str:
        """The currency in a table's heading."""
        return {"USD": "US$"}.get(self.currency, self.currency)

    def short(self, value: Quantity | None, plus: str = "") -> str:
        """Three significant figures: $4.21M, $214k, $740; cents where a whole amount would be nothing."""
        if value is None:
            return UNKNOWN
        amount = decimal(value)
        size = abs(amount)
        scaled, unit = _scaled(size, SCALES)
        places = 2 if HALF_A_CENT <= size < HALF else 0
        text = f"{rounded(size, places):,f}" if not unit else _digits(scaled) + unit
        return signed(f"{self.symbol}{text}", amount, plus=plus)

    def change(self, value: Quantity | None) -> str:
        """A difference; a positive one is more cost."""
        return self.short(value, plus="+")

    def span(self, low: Quantity | None, high: Quantity | None) -> str:
        """A range with its currency once: $290k–610k; with words where the low end is negative."""
        if low is None or high is None:
            return UNKNOWN
        start, end = self.short(low), self.short(high)
        if min(decimal(low), decimal(high)) < 0:
            return f"{start} to {end}"
        if start == end:
            return start
        return f"{start}–{end.removeprefix(self.symbol) if start[-1] == end[-1] else end}"

    def per_mtok(self, value: Quantity | None) -> str:
        """Price of a million tokens: $3.42, $0.0814, $124; from ten thousand on as amounts are, $12.4k."""
        if value is None:
            return UNKNOWN
        amount = decimal(value)
        size = abs(amount)
        if size >= LARGE_PRICE:
            return self.short(amount)
        has_two_places = not size or 1 <= size < 100  # noqa: PLR2004 - three significant digits outside
        text = f"{rounded(size, 2):f}" if has_two_places else _digits(size)
        return signed(f"{self.symbol}{text}", amount)

    def exact(self, value: Quantity) -> str:
        """All twelve decimals, and the currency after the number."""
        return f"{exact(value)}{NBSP}{self.currency}"


def percent(ratio: Quantity | None, plus: str = "") -> str:
    """Whole from 10 %, else one decimal, with a no-break space."""
    if ratio is None:
        return UNKNOWN
    value = decimal(ratio) * 100
    places = 0 if abs(rounded(value, 1)) >= 10 else 1  # noqa: PLR2004 - ten percent
    return signed(f"{_never_all_or_nothing(abs(value), places)}{NBSP}%", value, plus=plus)


def whole_percent(ratio: Quantity | None, plus: str = "") -> str:
    """Percent in titles and penalties: whole, with one decimal only where it would be 0."""
    if ratio is None:
        return UNKNOWN
    value = decimal(ratio) * 100
    places = 0 if abs(value) >= Decimal("0.5") or not value else 1
    return signed(f"{_never_all_or_nothing(abs(value), places)}{NBSP}%", value, plus=plus)


def set_percent(ratio: Quantity) -> str:
    """Percent of a setting, with as many of four decimals as were given: what was set is not rounded."""
    return f"{_trimmed(f'{rounded(decimal(ratio) * 100, 4):f}')}{NBSP}%"


def _never_all_or_nothing(value: Decimal, places: int) -> str:
    """A percentage that does not round to 0 or to 100 unless it is."""
    if not value:
        return "0"
    if value < Decimal("0.05"):
        return "<0.1"
    almost = Decimal("99.5") <= value < 100  # noqa: PLR2004 - all of it
    return str(min(rounded(value, 1), Decimal("99.9"))) if almost else _grouped(value, places)


def chance(ratio: Quantity | None) -> str:
    """A probability: no draw of any number makes it certain, so over 99 and under 1 % are said as such."""
    if ratio is None:
        return UNKNOWN
    value = decimal(ratio)
    if value > Decimal("0.99"):
        return f">99{NBSP}%"
    return f"under 1{NBSP}%" if value < Decimal("0.01") else f"{rounded(value * 100, 0):f}{NBSP}%"


def factor(ratio: Quantity | None) -> str:
    """One number over another: whole from ten on, else one decimal, and two under a tenth."""
    if ratio is None:
        return UNKNOWN
    value = decimal(ratio)
    if 0 < value < Decimal("0.005"):
        return "<0.01"
    places = 0 if value >= 10 else 1 if value >= Decimal("0.1") or not value else 2  # noqa: PLR2004 - whole from ten
    return _grouped(value, places)


def times(ratio: Quantity) -> str:
    """How many times as much: 13 times, 2.5 times under ten."""
    return f"{factor(ratio)}{NBSP}times"


def flop(value: Quantity) -> str:
    """Compute: 5.9e23."""
    mantissa, _, power = f"{float(value):.1e}".partition("e")
    return f"{mantissa}e{int(power)}"


def points(ratio: Quantity | None) -> str:
    """A difference of percentages, unsigned."""
    if ratio is None:
        return UNKNOWN
    return f"{_grouped(abs(decimal(ratio) * 100), 1)} points"


def _grouped(value: Decimal, places: int) -> str:
    return f"{rounded(value, places):,f}"


def tokens(value: Quantity | None) -> str:
    """Three significant figures in tables: 790 B, 2.1 T."""
    if value is None:
        return UNKNOWN
    amount = decimal(value)
    scaled, unit = _scaled(abs(amount), SCALES)
    text = _trimmed(_digits(scaled)) if unit else f"{rounded(abs(amount), 0):,f}"
    return signed(f"{text}{NBSP}{unit}".strip(), amount)


def tokens_in_words(value: Quantity | None) -> tuple[str, str]:
    """A tile's number and its unit: 0.79 and trillion."""
    if value is None:
        return UNKNOWN, ""
    amount = decimal(value)
    tenth = next(((scale, word) for scale, word in SCALE_WORDS[:1] if abs(amount) >= scale / 10), None)
    scaled, word = (amount / tenth[0], tenth[1]) if tenth else _scaled(abs(amount), SCALE_WORDS)
    return (_trimmed(_digits(scaled)) if word else f"{rounded(amount, 0):,f}"), word


def count(value: Quantity | None) -> str:
    """A whole number with its thousands: 1,204,331; from ten million in words."""
    if value is None:
        return UNKNOWN
    amount = decimal(value)
    if abs(amount) < 10**7:
        return signed(f"{abs(rounded(amount, 0)):,f}", amount)
    scaled, word = _scaled(abs(amount), SCALE_WORDS)
    return signed(f"{_digits(scaled)} {word}", amount)


def count_word(value: int) -> str:
    """A small number at the start of a sentence."""
    return COUNT_WORDS[value] if 0 <= value < len(COUNT_WORDS) else f"{value:,}"


def exact(value: Quantity) -> str:
    """Twelve decimals, as the tables hold it."""
    amount = decimal(value)
    return signed(f"{amount.copy_abs():,.12f}", amount)


def plain(value: Quantity | None, places: int = 0) -> str:
    """A number with fixed decimals."""
    if value is None:
        return UNKNOWN
    amount = rounded(decimal(value), places)
    return signed(f"{amount.copy_abs():,f}", amount)


def plain_change(value: Quantity, places: int) -> str:
    """A difference with fixed decimals; a positive one is more cost."""
    shown = plain(value, places)
    return shown if shown.startswith(MINUS) or not rounded(decimal(value), places) else f"+{shown}"


def months(value: Quantity | None) -> str:
    """A length of time: 14 months, from four years on in years."""
    if value is None:
        return UNKNOWN
    length = decimal(value)
    if length >= 600:  # noqa: PLR2004 - fifty years
        return f"over 50{NBSP}years"
    if length >= 48:  # noqa: PLR2004 - four years
        return f"{rounded(length / 12, 0):,f}{NBSP}years"
    return f"{rounded(length, 0):,f}{NBSP}{'month' if rounded(length, 0) == 1 else 'months'}"


def day(value: date | None) -> str:
    """2026-11-21."""
    return value.isoformat()[:10] if value else UNKNOWN


def day_month(value: date | None) -> str:
    """27 November."""
    return f"{value.day}{NBSP}{month(value)}" if value else UNKNOWN


def day_short(value: date | None) -> str:
    """27 Nov."""
    return f"{value.day}{NBSP}{month_short(value)}" if value else UNKNOWN


MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                 "November", "December")  # fmt: skip


def month(value: date) -> str:
    """October."""
    return MONTHS[value.month - 1]


def month_year(value: date) -> str:
    """October 2026."""
    return f"{month(value)} {value.year}"


def month_short(value: date) -> str:
    """Oct."""
    return month(value)[:3]


def month_tick(value: date) -> str:
    """Oct 26."""
    return f"{month_short(value)} {value.year % 100:02d}"


def name(value: str | None, limit: int = NAME_LIMIT) -> str:
    """A name in signs that the fonts have, shortened in its middle; one that could be taken for another has a mark."""
    if value is None:
        return UNKNOWN
    if is_ambiguous(value[:LONGEST_NAME]):
        return _with_mark(value, limit)
    shown = _shown(value, limit)
    return _told_apart(value, limit, shown) if ELLIPSIS in shown else shown or PLACEHOLDER


def company(value: str, limit: int = NAME_LIMIT) -> str:
    """The name of the company: there is one, so nothing tells it from others."""
    return _shortened(printable(value[:LONGEST_NAME]), limit) or PLACEHOLDER


@contextmanager
def beside(names: Iterable[str]) -> Iterator[None]:
    """Within it a shortened name is told from each of these names."""
    token = _BESIDE.set(frozenset(names))
    try:
        yield
    finally:
        _BESIDE.reset(token)


def _shown(value: str, limit: int) -> str:
    return _shortened(printable(value[: 4 * limit] + value[-4 * limit :] if len(value) > 8 * limit else value), limit)


def _with_mark(value: str, limit: int) -> str:
    mark = distinction(value)
    shown = BOXES.sub(PLACEHOLDER, printable(value[:LONGEST_NAME]))
    room = limit - len(mark) - 1
    return f"{_shortened(shown, room)} {mark}" if room >= LEAST_ROOM and shown else mark


def _told_apart(value: str, limit: int, shown: str) -> str:
    """A shortened name that no other is shortened to: the gap goes where names do not differ, or a mark is added."""
    others = [other for other in _BESIDE.get() if other != value and _shown(other, limit) == shown]
    if not others:
        return shown
    whole, rest = printable(value[:LONGEST_NAME]), [printable(other[:LONGEST_NAME]) for other in others]
    for tail in (*range((limit - 1) // 2 + 1, limit - LEAST_HEAD), *range((limit - 1) // 2, LEAST_HEAD - 1, -1)):
        cut = _shortened(whole, limit, tail)
        if all(_shortened(other, limit, tail) != cut for other in rest):
            return cut
    return _with_mark(value, limit)


def _shortened(shown: str, limit: int, tail: int | None = None) -> str:
    """A text of at most so many letters, its middle left out; a sign as wide as high counts for two letters."""
    if sum(map(_letter_count, shown)) <= limit:
        return shown
    is_from_right = shown.startswith(LEFT_TO_RIGHT_MARK)
    signs = shown.strip(LEFT_TO_RIGHT_MARK)
    tail = (limit - 1) // 2 if tail is None else tail
    last = _first_signs(signs[::-1], tail)[::-1]
    first = _first_signs(signs, limit - 1 - sum(map(_letter_count, last)))
    cut = f"{first}{ELLIPSIS}{last}"
    return f"{LEFT_TO_RIGHT_MARK}{cut}{LEFT_TO_RIGHT_MARK}" if is_from_right else cut


def _first_signs(signs: str, room: int) -> str:
    taken = 0
    for sign_number, sign in enumerate(signs):
        taken += _letter_count(sign)
        if taken > room:
            return signs[:sign_number]
    return signs


def _letter_count(sign: str) -> int:
    if sign.isascii():
        return 1
    if sign == LEFT_TO_RIGHT_MARK or unicodedata.category(sign) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(sign) in {"W", "F"} else 1


def fitted(value: str | None, width: float, size: float = 7.6) -> str:
    """A name in bold condensed type, shortened in its middle until it fits a width in points."""
    limits = (NAME_LIMIT, *range(NAME_LIMIT - 4, 4, -2))
    shown = (name(value, limit) for limit in limits)
    return next((words for words in shown if text_width(words, size, CONDENSED, SEMIBOLD) <= width), name(value, 4))
