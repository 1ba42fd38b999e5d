"""A model's three phases today and at retirement, with the target between and beside the bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.ternary_plane import Shares
from templates.svg import Anchor, circle, figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD, text_width
from warehouse.vocabulary import PHASES

WIDTH: Final = 504.0
LEFT: Final = 62.0
TODAY_Y: Final = 20.0
LATER_Y: Final = 50.0
FITTING: Final = 60.0


@dataclass(frozen=True)
class LifeBar:
    """One bar: its shares and the words inside each segment."""

    shares: Shares
    words: tuple[str, str, str]
    total: str


@dataclass(frozen=True)
class Later:
    """The bar at retirement, with the share of inference low, median and high."""

    shares: Shares
    low: float
    high: float
    words: str


def life_bars(today: LifeBar, later: Later | None, target: Shares, targets: Sequence[str], alt: str) -> Markup:
    """Today above, at retirement below; green ticks at the boundaries of the target."""
    height = 73.0 if later else 51.0
    rise = 13.0 if _narrow(today) else 5.4
    parts = [*_today(today), *(_later(later) if later else ())]
    for boundary, words in zip((target[0], target[0] + target[1]), targets, strict=True):
        parts += _target(boundary, words, rise, later is not None) if boundary > 0 else ()
    return figure((WIDTH, height), alt, parts)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT)


def _segments(shares: Shares, y: float, height: float) -> Iterator[tuple[str, float, float, str]]:
    start = 0.0
    for phase, share in zip(PHASES, shares, strict=True):
        width = share * (WIDTH - LEFT)
        box = rect((_x(start), y), (max(width - 1, 0.0), height), fill=colours.FILLS[phase])
        yield phase, _x(start), width, box
        start += share


def _today(bar: LifeBar) -> Iterator[str]:
    yield text((0, TODAY_Y + 10), "Today", size=7.6, weight=SEMIBOLD)
    yield text((0, TODAY_Y + 18.5), bar.total, size=6.8, fill=colours.TEXT_2)
    for (phase, x, width, box), words in zip(_segments(bar.shares, TODAY_Y, 23), bar.words, strict=True):
        yield box
        if width >= FITTING:
            fill = colours.ON_FILL[phase]
            yield text((x + 5, TODAY_Y + 9.6), colours.NAMES[phase], size=7, fill=fill)
            yield text((x + 5, TODAY_Y + 18.4), words, size=7.2, fill=fill, weight=SEMIBOLD)
    yield text((WIDTH, TODAY_Y - 5.4), " · ".join(_narrow(bar)), size=6.4, anchor="end")


def _narrow(bar: LifeBar) -> list[str]:
    """The words of segments that are too narrow for them."""
    return [
        f"{colours.NAMES[phase]} {words}"
        for phase, share, words in zip(PHASES, bar.shares, bar.words, strict=True)
        if 0 < share * (WIDTH - LEFT) < FITTING
    ]


def _later(later: Later) -> Iterator[str]:
    yield text((0, LATER_Y + 6), "At retirement", size=7.6, weight=SEMIBOLD)
    yield text((0, LATER_Y + 14), "median, P10–P90", size=6.6, fill=colours.TEXT_2)
    for _, _, _, box in _segments(later.shares, LATER_Y, 11):
        yield box
    y = LATER_Y + 16.5
    low, middle, high = _x(1 - later.high), _x(1 - later.shares[2]), _x(1 - later.low)
    yield line((low, y), (high, y), stroke=colours.INK, width=0.9)
    for x in (low, high):
        yield line((x, y - 2), (x, y + 2), stroke=colours.INK, width=0.9)
    yield circle((middle, y), 1.6, fill=colours.INK)
    fits = high + 5 + text_width(later.words, 6.8) <= WIDTH
    anchor: Anchor = "start" if fits else "end"
    yield text((high + 5 if fits else low - 5, y + 2.4), later.words, size=6.8, fill=colours.TEXT_2, anchor=anchor)


def _target(boundary: float, words: str, rise: float, has_later: bool) -> Iterator[str]:  # noqa: FBT001 - private
    x = _x(boundary)
    yield line((x, TODAY_Y - 3.4), (x, TODAY_Y), stroke=colours.TARGET, width=1.1)
    yield line((x, TODAY_Y + 23), (x, TODAY_Y + 27 + (3 if has_later else 0)), stroke=colours.TARGET, width=1.1)
    yield text((x, TODAY_Y - rise), words, size=6.4, fill=colours.TARGET, anchor="middle", weight=SEMIBOLD)
