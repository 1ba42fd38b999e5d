"""The price of a million tokens of one model as a row of a table, on an axis that all rows share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_words
from templates.figures.scales import LogScale, Scale, round_ticks, tick_places
from templates.svg import circle, figure, hatch, line, rect, text, triangle
from templates.typesetting.typeface import text_width

WIDTH: Final = 150.0
HIGH: Final = 11.0
LOG_FROM: Final = 8.0
"""The axis is logarithmic where the largest price is more than so many times the median: no bar is ever cut."""


@dataclass(frozen=True)
class Price:
    """Used, allocated and fully loaded price of one model, and the best dated API price."""

    used: float
    allocated: float
    loaded: float
    api: float | None


@dataclass(frozen=True)
class PriceAxis:
    """The axis of all rows."""

    scale: Scale | LogScale
    ticks: tuple[tuple[float, str], ...]

    @property
    def is_log(self) -> bool:
        """Whether equal steps are equal factors."""
        return isinstance(self.scale, LogScale)


def price_axis(prices: Sequence[Price]) -> PriceAxis:
    """Logarithmic over whole decades with ones and threes, or straight from zero."""
    tops = [max(price.loaded, price.api or 0.0) for price in prices]
    lows = [value for price in prices for value in (price.used, price.api) if value and value > 0]
    if lows and min(lows) > 0 and max(tops) > LOG_FROM * median(tops):
        low, high = min(lows) * 0.8, max(tops) * 1.2
        scale = LogScale(low, high, 5, WIDTH - 6)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        marks = [factor * 10.0**power for power in powers for factor in (1, 3)]
        ticks = tuple((mark, f"{mark:,.10g}") for mark in marks if low <= mark <= high)
        return PriceAxis(scale, ticks)
    marks = round_ticks(0.0, max([*tops, 1e-9]), 4)
    places = tick_places(marks)
    return PriceAxis(Scale(0.0, marks[-1], 2, WIDTH - 8), tuple((mark, tick_words(mark, places)) for mark in marks))


def price_head(axis: PriceAxis) -> Markup:
    """The numbers of the axis, as many as have room."""
    parts, right = [], -1.0
    for mark, words in axis.ticks:
        x = min(max(axis.scale(mark), 6), WIDTH - 8)
        wide = text_width(words, 6.6) / 2
        if x - wide > right:
            parts.append(text((x, 7), words, size=6.6, fill=colours.TEXT_2, anchor="middle"))
            right = x + wide + 4
    kind = "logarithmic" if axis.is_log else "straight"
    return figure((WIDTH, 9), f"{kind} axis of prices", parts, "price-head")


def price_row(price: Price, axis: PriceAxis, alt: str) -> Markup:
    """Dot or bar: used; hatched: share of idle and shared; dark: amortised training; stroke: fully loaded."""
    across, middle = axis.scale, HIGH / 2
    parts = [line((across(mark), 0), (across(mark), HIGH), stroke=colours.GRID) for mark, _ in axis.ticks]
    used, allocated, loaded = (across(max(value, 0.0) or 1e-9) if axis.is_log else across(value) for value in
                               (price.used, price.allocated, price.loaded))  # fmt: skip
    if not axis.is_log:
        parts.append(rect((across(0.0), 2), (max(used - across(0.0), 0.6), HIGH - 4), fill=colours.INFERENCE))
    parts.append(hatch((used, 2), (max(allocated - used, 0.0), HIGH - 4), step=2.0))
    parts.append(rect((allocated, 2), (max(loaded - allocated, 0.0), HIGH - 4), fill=colours.PRETRAINING))
    parts.append(line((loaded, 0.5), (loaded, HIGH - 0.5), width=1.2))
    if axis.is_log:
        parts.append(circle((used, middle), 2.6, fill=colours.INFERENCE_TEXT))
    if price.api is not None:
        x = across(price.api)
        parts.append(triangle((x, 1.6), 3.6, fill=colours.INK, points="down"))
        parts.append(line((x, 2), (x, HIGH), width=0.8))
    return figure((WIDTH, HIGH), alt, parts, "price-row")


def price_key(has_api: bool) -> Markup:  # noqa: FBT001 - one fact
    """What the marks of a row mean."""
    parts = [circle((4, 5), 2.8, fill=colours.INFERENCE_TEXT), text((10, 7.4), "used", size=6.8)]
    parts += [hatch((40, 1.8), (16, 6.4), step=2.0), text((60, 7.4), "idle and shared share", size=6.8)]
    parts += [rect((138, 1.8), (16, 6.4), fill=colours.PRETRAINING), text((158, 7.4), "amortised training", size=6.8)]
    parts += [line((222, 1), (222, 9), width=1.2), text((227, 7.4), "fully loaded", size=6.8)]
    if has_api:
        parts += [triangle((276, 2.6), 3.8, fill=colours.INK, points="down"), line((276, 3), (276, 9.4), width=0.8)]
        parts += [text((282, 7.4), "best dated API price: compare it with allocated, where hatching ends", size=6.8)]
    return figure((504, 10), "Key of the price rows", parts)


def busy_bar(ratio: float, alt: str) -> Markup:
    """The busy share of a model's GPUs."""
    parts = [rect((0, 2), (28, 6), fill=colours.GRID), rect((0, 2), (28 * min(max(ratio, 0.0), 1.0), 6),
             fill=colours.INFERENCE_TEXT)]  # fmt: skip
    return figure((28, 10), alt, parts, "busy")
