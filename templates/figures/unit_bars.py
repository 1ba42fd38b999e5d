"""What a million tokens costs, model by model: used, idle share, shared share and training carried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_words
from templates.figures.scales import Scale, round_ticks, tick_places
from templates.svg import figure, hatch, line, polygon, polyline, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
LEFT: Final = 104.0
RIGHT: Final = 460.0
ROW: Final = 14.5
HIGH: Final = 9.5
# Bars more than so many times the longest of the others are cut, so that those can be read.
CUT_FROM: Final = 5.0
MOST_CUT: Final = 3
KINDS: Final = (
    ("used", "used", colours.INFERENCE),
    ("idle", "share of idle", colours.HATCH_GROUND),
    ("shared", "share of shared", colours.SHARED),
    ("training", "training carried", colours.PRETRAINING),
)


@dataclass(frozen=True)
class UnitBar:
    """One model: the four parts of its price in order, the whole ready to print, and what an API asks."""

    name: str
    parts: tuple[float, float, float, float]
    words: str
    api: float | None = None

    @property
    def whole(self) -> float:
        """Length of the bar."""
        return sum(max(part, 0.0) for part in self.parts)


def cut_bars(bars: Sequence[UnitBar]) -> list[UnitBar]:
    """The longest bars, where they are more than five times the longest of the others; at most three, never all."""
    ordered = sorted(bars, key=lambda bar: (-bar.whole, bar.name))
    gaps = [place for place in range(min(MOST_CUT, len(ordered) - 1)) if _is_apart(ordered, place)]
    return ordered[: gaps[-1] + 1] if gaps else []


def _is_apart(ordered: Sequence[UnitBar], place: int) -> bool:
    return ordered[place].whole > CUT_FROM * ordered[place + 1].whole > 0


def unit_bars(bars: Sequence[UnitBar], alt: str) -> Markup:
    """Stacked bars on one price axis that the longest bars may leave; a tick where an API sells the same tokens."""
    cut = cut_bars(bars)
    shown = [bar for bar in bars if bar not in cut]
    known = [bar.api for bar in shown if bar.api is not None]
    ticks = round_ticks(0.0, max([bar.whole for bar in shown] + known, default=1.0), 6)
    across = Scale(ticks[0], ticks[-1], LEFT, RIGHT)
    height = 28 + ROW * len(bars)
    parts = [*_key(any(bar.api is not None for bar in bars)), *_axis(ticks, across, height)]
    for place, bar in enumerate(bars):
        parts += _bar(bar, across, 24 + place * ROW)
    return figure((WIDTH, height), alt, parts)


def _key(has_api: bool) -> Iterator[str]:  # noqa: FBT001 - private
    x = LEFT
    for kind, words, fill in KINDS:
        box = ((x, 0.5), (7.0, 6.5))
        yield hatch(*box, step=1.8) if kind == "idle" else rect(*box, fill=fill)
        yield text((x + 10, 6.4), words, size=6.8)
        x += 82
    if has_api:
        yield from _tick(x + 3.5, -0.5)
        yield text((x + 10, 6.4), "best API price", size=6.8)


def _axis(ticks: list[float], across: Scale, height: float) -> Iterator[str]:
    places = tick_places(ticks)
    for tick in ticks:
        stroke = colours.TEXT_2 if not tick else colours.GRID
        yield line((across(tick), 20), (across(tick), height - 2), stroke=stroke, width=0.5)
        yield text((across(tick), 17.5), tick_words(tick, places), size=6.6, fill=colours.TEXT_2, anchor="middle")


def _bar(bar: UnitBar, across: Scale, y: float) -> Iterator[str]:
    yield text((0, y + 7.6), bar.name, size=7.4, weight=SEMIBOLD)
    total, is_cut = 0.0, bar.whole > across.high
    for (kind, _, fill), amount in zip(KINDS, bar.parts, strict=True):
        start, total = min(total, across.high), total + max(amount, 0.0)
        end = min(total, across.high)
        box = ((across(start), y), (across(end) - across(start) - (0.0 if is_cut else 0.4), HIGH))
        yield hatch(*box) if kind == "idle" else rect(*box, fill=fill)
    yield from _break(y) if is_cut else ()
    yield text((across(min(total, across.high)) + 4, y + 7.6), bar.words, size=7.2, weight=SEMIBOLD)
    if bar.api is not None and bar.api <= across.high:
        yield from _tick(across(bar.api), y)


def _break(y: float) -> Iterator[str]:
    """Two slanted strokes through a bar that goes on: it is longer than the axis."""
    x, low, high = RIGHT - 16, y + HIGH + 1.6, y - 1.6
    yield polygon(((x, low), (x + 4, high), (x + 9, high), (x + 5, low)), fill=colours.PAPER)
    for left in (x, x + 5):
        yield polyline(((left, low), (left + 4, high)), width=0.8)


def _tick(x: float, y: float) -> Iterator[str]:
    """A price: black on white, higher than the bar."""
    for stroke, width in ((colours.PAPER, 3.0), (colours.INK, 1.3)):
        yield line((x, y - 1.6), (x, y + HIGH + 1.6), stroke=stroke, width=width)
