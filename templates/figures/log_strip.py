"""A row of a table that shows one ratio on a logarithmic axis, which all rows share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import LogScale
from templates.svg import circle, figure, line, rect, text
from templates.typesetting.typeface import text_width

HIGH: Final = 10.0
EDGE: Final = 5.0
SIZE: Final = 6.4
GAP: Final = 4.0


@dataclass(frozen=True)
class Strip:
    """The axis of all rows: its width, its scale, and its ticks with their words."""

    width: float
    scale: LogScale
    ticks: tuple[tuple[float, str], ...]


def log_strip(values: Iterable[float], width: float) -> Strip:
    """An axis that every value lies on, with ticks at powers of ten and the threes between them."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive) * 0.8, max(positive) * 1.25
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [factor * 10.0**power for power in powers for factor in (1, 3)]
    inside = [mark for mark in marks if low <= mark <= high]
    return Strip(width, LogScale(low, high, EDGE, width - EDGE), tuple((mark, f"{mark:,.10g}") for mark in inside))


def strip_head(strip: Strip, alt: str) -> Markup:
    """The numbers of the axis, as many as have room."""
    parts, right = [], -1.0
    for mark, words in strip.ticks:
        wide = text_width(words, SIZE) / 2
        x = min(max(strip.scale(mark), wide), strip.width - wide)
        if x - wide > right:
            parts.append(text((x, 7), words, size=SIZE, fill=colours.TEXT_2, anchor="middle"))
            right = x + wide + GAP
    return figure((strip.width, 9), alt, parts, "strip-head")


def strip_row(
    strip: Strip,
    value: float | None,
    alt: str,
    *,
    target: float | None = None,
    good: tuple[float, float] | None = None,
    is_good: bool = False,
) -> Markup:
    """A dot for the value with a stem to its target; a green area where it should lie. No dot where it is not known."""
    across, middle = strip.scale, HIGH / 2
    parts = [line((across(mark), 0), (across(mark), HIGH), stroke=colours.GRID) for mark, _ in strip.ticks]
    if good is not None:
        start, end = (min(max(across(edge), 0.0), strip.width) for edge in good)
        parts.append(rect((start, 0), (end - start, HIGH), fill=colours.TARGET_FILL))
    if target is not None:
        parts.append(line((across(target), 0), (across(target), HIGH), stroke=colours.TARGET, width=1.4))
    if value is not None and value > 0:
        if target is not None and good is None:
            parts.append(line((across(target), middle), (across(value), middle), stroke=colours.BAR_GREY, width=1.2))
        fill = colours.MID_GREY if is_good else colours.INFERENCE_TEXT
        parts.append(circle((across(value), middle), 2.6, fill=fill))
    return figure((strip.width, HIGH), alt, parts, "strip")


def share_bar(share: float, alt: str, width: float = 60.0) -> Markup:
    """A share of a whole as a bar on the width of the whole."""
    end = width * min(max(share, 0.0), 1.0)
    parts = [rect((0, 2), (width, 6), fill=colours.GRID), rect((0, 2), (end, 6), fill=colours.INFERENCE_TEXT)]
    return figure((width, 10), alt, parts, "busy")
