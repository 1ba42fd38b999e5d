"""What past recommendations promised a month, P10 to P90, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_labels
from templates.figures.scales import Scale, round_ticks
from templates.svg import circle, figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
LEFT: Final = 190.0
RIGHT: Final = 392.0
ROW: Final = 13.5
TOP: Final = 14.0


@dataclass(frozen=True)
class Promise:
    """One past recommendation: what it promised and what it saved, in the unit of the axis, and its words."""

    since: str
    name: str
    low: float
    median: float
    high: float
    realised: float
    words: str
    is_within: bool | None


def record_bars(promises: Sequence[Promise], alt: str) -> Markup:
    """A bar for the promise, its median as a stroke; a dot for what came, hollow where it lies outside."""
    amounts = [amount for one in promises for amount in (one.low, one.high, one.realised)]
    ticks = round_ticks(min(0.0, *amounts), max(1e-9, *amounts), 5)
    across = Scale(ticks[0], ticks[-1], LEFT, RIGHT)
    height = TOP + 4 + ROW * len(promises)
    parts = []
    for tick, words in zip(ticks, tick_labels(ticks), strict=True):
        stroke = colours.TEXT_2 if abs(tick) < (ticks[-1] - ticks[0]) * 1e-9 else colours.GRID
        parts.append(line((across(tick), 10), (across(tick), height - 2), stroke=stroke))
        parts.append(text((across(tick), 7), words, size=6.6, fill=colours.TEXT_2, anchor="middle"))
    for row_number, one in enumerate(promises):
        parts += _promise(one, across, TOP + row_number * ROW)
    return figure((WIDTH, height), alt, parts)


def _promise(one: Promise, across: Scale, y: float) -> Iterator[str]:
    middle = y + 4.5
    yield text((0, y + 7), one.since, size=6.8, fill=colours.TEXT_2)
    yield text((30, y + 7), one.name, size=7.2)
    yield rect((across(one.low), y + 1.5), (max(across(one.high) - across(one.low), 0.8), 6.0), fill=colours.BAR_GREY)
    yield line((across(one.median), y), (across(one.median), y + 9), width=1.0)
    at = (across(one.realised), middle)
    fill = colours.INK if one.is_within is not False else colours.PAPER
    yield circle(at, 2.6, fill=fill, stroke=colours.INK, width=0.9)
    yield text((RIGHT + 6, y + 7), one.words, size=7, weight=SEMIBOLD)
