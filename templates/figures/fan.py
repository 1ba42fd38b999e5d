"""Months past as a line, months ahead as a band from P10 to P90 with its median, the plan as black bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, apart, round_ticks
from templates.svg import band, circle, figure, line, polyline, text, triangle
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 320.0
HEIGHT: Final = 112.0
LEFT: Final = 26.0
RIGHT: Final = 258.0
EVENT_LINE: Final = 10.0


@dataclass(frozen=True)
class FanMonth:
    """One month in the unit of the axis: what it cost, or low, median and high of what it will."""

    label: str
    low: float
    median: float
    high: float
    plan: float | None
    is_forecast: bool


@dataclass(frozen=True)
class FanEvent:
    """Something that is known to come: how many months after the first of the axis, and its words."""

    month_offset: float
    words: str


def fan(
    months: Sequence[FanMonth], words: Sequence[tuple[str, float]], alt: str, events: Sequence[FanEvent] = ()
) -> Markup:
    """The whole figure; `words` are what the last month's ends say, events hang below the axis, a line each."""
    amounts = [amount for month in months for amount in (month.low, month.high, month.plan or 0.0)]
    ticks = round_ticks(min(0.0, *amounts), max(*amounts, 1e-9))
    rise, across = Scale(ticks[0], ticks[-1], HEIGHT - 18, 6), Scale(0, max(len(months) - 1, 1), LEFT + 12, RIGHT - 12)
    first = next((month_number for month_number, month in enumerate(months) if month.is_forecast), len(months))
    ahead = range(max(first - 1, 0), len(months))
    upper = [(across(month_number), rise(months[month_number].high)) for month_number in ahead]
    lower = [(across(month_number), rise(months[month_number].low)) for month_number in ahead]
    middle = [(across(month_number), rise(months[month_number].median)) for month_number in ahead]
    past = [(across(month_number), rise(months[month_number].median)) for month_number in range(first)]
    parts = [*money_axis(ticks, rise, LEFT, RIGHT), band(upper, lower, fill=colours.FORECAST)]
    parts += _plans(months, across, rise)
    parts += [polyline(past, width=1.5), polyline(middle, width=1.3, dash="3 2")]
    parts += [circle(past[-1], 2.2, fill=colours.INK)] if past else []
    parts += _labels(months, across, first)
    parts += _words(words, rise)
    for line_number, event in enumerate(events):
        parts += _event(event, across, HEIGHT + 8 + EVENT_LINE * line_number)
    return figure((WIDTH, HEIGHT + (EVENT_LINE * len(events) + 4 if events else 0)), alt, parts)


def _event(event: FanEvent, across: Scale, y: float) -> Iterator[str]:
    """A tick on the axis with a thin line down to its words."""
    x = min(across(event.month_offset), RIGHT)
    yield triangle((x, HEIGHT - 15.4), 4.6, fill=colours.INK)
    yield line((x, HEIGHT - 3), (x, y - 2.3), stroke=colours.TEXT_2, width=0.4)
    yield line((x, y - 2.3), (x - 4, y - 2.3), stroke=colours.TEXT_2, width=0.4)
    yield text((x - 6, y), event.words, size=6.8, anchor="end")


def _plans(months: Sequence[FanMonth], across: Scale, rise: Scale) -> Iterator[str]:
    for month_number, month in enumerate(months):
        if month.plan is not None:
            x, y = across(month_number), rise(month.plan)
            yield line((x - 10, y), (x + 10, y), stroke=colours.INK, width=1.3)


def _labels(months: Sequence[FanMonth], across: Scale, first: int) -> Iterator[str]:
    if first < len(months):
        x = across(max(first - 1, 0))
        yield line((x, 4), (x, HEIGHT - 18), stroke=colours.TEXT_2, width=0.4, dash="2 1.6")
        yield text((x + 3, 14), "forecast", size=6.6, fill=colours.TEXT_2)
    every = 1 if len(months) <= 9 else 2  # noqa: PLR2004 - as many as fit
    for month_number in range(len(months) - 1, -1, -every):
        fill = colours.INK if months[month_number].is_forecast else colours.TEXT_2
        yield text((across(month_number), HEIGHT - 6), months[month_number].label, size=6.6, fill=fill, anchor="middle")


def _words(words: Sequence[tuple[str, float]], rise: Scale) -> Iterator[str]:
    heights = apart([rise(amount) for _, amount in words], 9.5, 6, HEIGHT - 22)
    for (content, _), y in zip(words, heights, strict=True):
        weight = SEMIBOLD if "median" in content else 400
        yield text((RIGHT + 4, y + 2.4), content, size=7, weight=weight)
