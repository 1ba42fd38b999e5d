"""Cash since approval: down by the one-off cost, then up with the savings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import axis_width, money_axis
from templates.figures.scales import Scale, apart, round_ticks, tick_step
from templates.svg import band, circle, figure, line, polyline, text
from templates.typeface import SEMIBOLD, text_width

WIDTH: Final = 206.0
HEIGHT: Final = 128.0
LEFT: Final = 20.0
RIGHT: Final = 152.0


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
    parts += _payback(payback, months[-1].month, across, rise)
    step = max(int(tick_step(max(months[-1].month, 1), 4)), 1)
    parts += [
        text((across(month), HEIGHT - 5), str(month), size=6.6, fill=colours.TEXT_2, anchor="middle")
        for month in range(0, months[-1].month + 1, step)
    ]
    last = months[-1]
    heights = apart([rise(last.high), rise(last.median), rise(last.low)], 8.4, 6, HEIGHT - 18)
    for words, y, weight in zip(ends, heights, (400, SEMIBOLD, 400), strict=True):
        parts.append(text((RIGHT + 3, y + 2.3), words, size=6.8, weight=weight))
    return figure((WIDTH, HEIGHT), alt, parts)


def _payback(payback: float | None, last: int, across: Scale, rise: Scale) -> list[str]:
    if payback is None or not 0 < payback <= last:
        return []
    x, y = across(payback), rise(0)
    words = f"pays back in month {payback:.0f}"
    dot = circle((x, y), 1.6, fill=colours.INK)
    if y + 18 > HEIGHT - 16:  # the months stand close below: the words stand on the line, under the rising curve
        return [dot, text((RIGHT, y - 3), words, size=6.8, weight=SEMIBOLD, anchor="end")]
    anchor_left = x + text_width(words, 6.8, weight=SEMIBOLD) < RIGHT + 20
    return [
        line((x, y), (x, y + 12), stroke=colours.INK, width=0.5),
        dot,
        text((x + 2 if anchor_left else x - 2, y + 14), words, size=6.8, weight=SEMIBOLD,
             anchor="start" if anchor_left else "end"),
    ]  # fmt: skip
