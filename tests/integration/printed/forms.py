"""The printing rules of the report, written a second time for the scripts beside it: each is a function in SQL."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

UNITS = (("T", 12), ("B", 9), ("M", 6), ("k", 3))


def digits(x: float, places: int) -> str:
    """Thousands and fixed decimals, rounded half up, without a sign."""
    return f"{abs(Decimal(repr(x))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"


def signed(words: str, x: float, plus: str) -> str:
    """A true minus; none before what is printed as zero."""
    if not re.search("[1-9]", words):
        return words
    return f"−{words}" if x < 0 else f"{plus}{words}"


def fixed(x: float | None, places: int) -> str:
    """A number with fixed decimals."""
    return "–" if x is None else signed(digits(x, places), x, "")


def significant(x: float, count: int) -> float:
    """Rounded to so many digits."""
    value = Decimal(repr(x))
    return float(value.quantize(Decimal(1).scaleb(value.adjusted() - count + 1), ROUND_HALF_UP)) if value else 0.0


def three(x: float) -> str:
    """Three significant digits."""
    power = int(f"{x:.2e}".partition("e")[2])
    return digits(significant(x, 3), max(0, 2 - power))


def scaled(x: float) -> tuple[str, str]:
    """Three significant digits in the largest unit that leaves one of them before the point."""
    size = significant(abs(x), 3)
    for unit, power in UNITS:
        if size >= 10**power:
            return three(size / 10**power), unit
    return digits(x, 2 if 0.005 <= abs(x) < 0.5 else 0), ""


def money(x: float | None) -> str | None:
    """Money in text: $4.21M, −$99.7k."""
    return None if x is None else signed("$" + "".join(scaled(x)), x, "")


def change(x: float | None) -> str | None:
    """A difference of money: +$16.3k."""
    return None if x is None else signed("$" + "".join(scaled(x)), x, "+")


def span(low: float, high: float) -> str:
    """A range with its currency once, and its unit once where both have the same."""
    start, end = money(low) or "", money(high) or ""
    if low < 0:
        return f"{start} to {end}"
    if start == end:
        return start
    return f"{start}–{end[1:] if start[-1] == end[-1] else end}"


def cell(x: float | None, scale: float, places: int, plus: str) -> str:
    """Money in a table of one unit."""
    if x is None:
        return "–"
    return signed(digits(x / scale, places), x, plus) if x else "0"


def millions(x: float | None) -> str:
    """Millions with two decimals."""
    return cell(x, 1e6, 2, "")


def millions_more(x: float | None) -> str:
    """A difference in millions."""
    return cell(x, 1e6, 2, "+")


def thousands(x: float | None) -> str:
    """Thousands."""
    return cell(x, 1e3, 0, "")


def thousands_more(x: float | None) -> str:
    """A difference in thousands."""
    return cell(x, 1e3, 0, "+")


def per_mtok(x: float | None) -> str:
    """Money for a million tokens: two decimals from 1 to 100, else three digits."""
    if x is None:
        return "–"
    return signed("$" + (digits(x, 2) if 1 <= abs(x) < 100 else three(abs(x))), x, "")


def share(x: float, places: int) -> str:
    """A percentage that says all or nothing only where it is."""
    size = abs(x) * 100
    if 0 < size < 0.05:
        return "<0.1 %"
    if 99.5 <= size < 100:
        return f"{digits(min(size, 99.9), 1)} %"
    return f"{digits(size, places) if size else 0} %"


def percent(x: float | None) -> str | None:
    """Whole from 10 %, else with one decimal."""
    return None if x is None else signed(share(x, 0 if round(abs(x) * 100, 1) >= 10 else 1), x, "")


def whole(x: float | None) -> str:
    """Whole, with a decimal only where it would be 0."""
    return "–" if x is None else signed(share(x, 0 if abs(x) >= 0.005 else 1), x, "")


def whole_more(x: float | None) -> str:
    """A whole percentage with its sign."""
    return whole(x) if x is None or x <= 0 else signed(whole(x), x, "+")


def chance(x: float | None) -> str | None:
    """A probability: never certain and never impossible."""
    if x is None:
        return "–"
    return ">99 %" if x > 0.99 else "under 1 %" if x < 0.01 else f"{digits(x * 100, 0)} %"


def factor(x: float | None) -> str:
    """One number over another: whole from ten on, else with one decimal, two under a tenth."""
    if x is None:
        return "–"
    if 0 < x < 0.005:
        return "<0.01"
    return digits(x, 0 if x >= 10 else 1 if x >= 0.1 or x == 0 else 2)


def flop(x: float) -> str:
    """Compute: 4.1e24."""
    return f"{x:.1e}".replace("e+", "e")


def points(x: float) -> str:
    """A difference of percentages."""
    return f"{digits(x * 100, 1)} points"


def tokens(x: float | None) -> str:
    """Tokens or parameters: 790 B, 2.1 T."""
    if x is None:
        return "–"
    number, unit = scaled(x)
    shown = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{shown} {unit}".strip()


def two_digits(x: float | None) -> str | None:
    """Parameters on the axis of sizes."""
    return None if x is None else tokens(significant(x, 2))


def months(x: float | None) -> str | None:
    """A length of time."""
    if x is None:
        return None
    return f"{digits(x, 0)} month{'' if round(x) == 1 else 's'}"


def exact(x: str) -> str:
    """All twelve decimals, from the text of the table."""
    return signed(f"{abs(Decimal(x)):,.12f}", float(x), "")
