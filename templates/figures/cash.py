"""Cash since approval: down by the one-off cost, then up with the savings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import axis_width, money_axis
from templates.figures.scales import Scale, apart, round_ticks, tick_step
from templates.svg import Point, band, circle, figure, line, polyline, text
from templates.typesetting.typeface import SEMIBOLD, text_width

WIDTH: Final = 206.0
HEIGHT: Final = 128.0
LEFT: Final = 20.0
RIGHT: Final = 152.0
SIZE: Final = 6.8
PARTS: Final = 12
CLEAR: Final = 2.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class CashMonth:
    """One month since approval: low, median and high, in the unit of the axis."""

    month: int
    low: float
    median: float
    high: float


def cash_curve(months: Sequence[CashMonth], ends: Sequence[str], payback: float | None, fill: str, alt: str) -> Markup:
    """A band with its median; `ends` are what high, median and low say at the end."""
    amounts = [amount for month in months for amount in (month.low, month.high)]
    ticks = round_ticks(min(0.0, *amounts), max(0.0, *amounts), 4)
    left = max(LEFT, axis_width(ticks, plus="+") + 5)
    across = Scale(0, max(months[-1].month, 1), left, RIGHT)
    rise = Scale(ticks[0], ticks[-1], HEIGHT - 16, 6)
    upper = [(across(month.month), rise(month.high)) for month in months]
    lower = [(across(month.month), rise(month.low)) for month in months]
    middle = [(across(month.month), rise(month.median)) for month in months]
    parts = [*money_axis(ticks, rise, left, RIGHT, plus="+"), band(upper, lower, fill=colours.CASH_BAND)]
    parts += [
        line((left, rise(0)), (RIGHT, rise(0)), stroke=colours.INK, width=0.8),
        polyline(middle, stroke=fill, width=1.4),
    ]
    step = max(int(tick_step(max(months[-1].month, 1), 4)), 1)
    parts += [
        text((across(month), HEIGHT - 5), str(month), size=6.6, fill=colours.TEXT_2, anchor="middle")
        for month in range(0, months[-1].month + 1, step)
    ]
    last = months[-1]
    heights = apart([rise(last.high), rise(last.median), rise(last.low)], 8.4, 6, HEIGHT - 18)
    for words, y, weight in zip(ends, heights, (400, SEMIBOLD, 400), strict=True):
        parts.append(text((RIGHT + 3, y + 2.3), words, size=SIZE, weight=weight))
    parts += _payback(payback, months[-1].month, middle, rise(0), left)
    return figure((WIDTH, HEIGHT), alt, parts)


def _payback(payback: float | None, last: int, middle: Sequence[Point], zero: float, left: float) -> list[str]:
    """The month in which the median is back at nothing, on the side of the axis where no curve runs."""
    if payback is None or not 0 < payback <= last:
        return []
    x = left + payback / max(last, 1) * (RIGHT - left)
    dot = circle((x, zero), 1.6, fill=colours.INK)
    phrasings = (f"pays back in month {payback:.0f}", f"month {payback:.0f}")
    for words, (y, anchor) in product(phrasings, ((zero + 14, "start"), (zero - 8, "end"))):
        box = _box((x, y), words, anchor)
        if _is_free(box, middle, left):
            return [line((x, zero), (x, y), stroke=colours.INK, width=0.5), dot,
                    text((box[0], y), words, size=SIZE, weight=SEMIBOLD)]  # fmt: skip
    return [dot]


def _box(at: Point, words: str, anchor: str) -> Box:
    """Left, top, right and foot of a text that starts or ends beside a point."""
    width = text_width(words, SIZE, weight=SEMIBOLD)
    start = at[0] + 2 if anchor == "start" else at[0] - 2 - width
    return start, at[1] - SIZE, start + width, at[1] + 2


def _is_free(box: Box, curve: Sequence[Point], left: float) -> bool:
    """Whether a box lies inside the plot, above the months, and no part of the curve passes within two points of it."""
    if box[0] < left or box[2] > RIGHT or box[1] < 0 or box[3] > HEIGHT - 14:
        return False
    steps = ((start, end, part / PARTS) for start, end in pairwise(curve) for part in range(PARTS + 1))
    on = ((a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b, t in steps)
    return not any(box[0] - CLEAR <= x <= box[2] + CLEAR and box[1] - CLEAR <= y <= box[3] + CLEAR for x, y in on)
