"""What a million tokens costs, model by model: used, idle share, shared share and training carried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_words
from templates.figures.scales import Scale, round_ticks, tick_places
from templates.svg import figure, hatch, line, rect, text
from templates.typeface import SEMIBOLD

WIDTH: Final = 504.0
LEFT: Final = 104.0
ROW: Final = 14.5
KINDS: Final = (
    ("used", "used", colours.INFERENCE),
    ("idle", "share of idle", colours.HATCH_GROUND),
    ("shared", "share of shared", colours.SHARED),
    ("training", "training carried", colours.PRETRAINING),
)


@dataclass(frozen=True)
class UnitBar:
    """One model: the four parts of its price in order, and the whole ready to print."""

    name: str
    parts: tuple[float, float, float, float]
    words: str


def unit_bars(bars: Sequence[UnitBar], alt: str) -> Markup:
    """Stacked bars on one price axis."""
    ticks = round_ticks(0.0, max((sum(bar.parts) for bar in bars), default=1.0), 6)
    across = Scale(ticks[0], ticks[-1], LEFT, WIDTH - 44)
    height = 28 + ROW * len(bars)
    parts = [*_key(), *_axis(ticks, across, height)]
    for place, bar in enumerate(bars):
        parts += _bar(bar, across, 24 + place * ROW)
    return figure((WIDTH, height), alt, parts)


def _key() -> Iterator[str]:
    x = LEFT
    for kind, words, fill in KINDS:
        box = ((x, 0.5), (7.0, 6.5))
        yield hatch(*box, step=1.8) if kind == "idle" else rect(*box, fill=fill)
        yield text((x + 10, 6.4), words, size=6.8)
        x += 82


def _axis(ticks: list[float], across: Scale, height: float) -> Iterator[str]:
    places = tick_places(ticks)
    for tick in ticks:
        stroke = colours.TEXT_2 if not tick else colours.GRID
        yield line((across(tick), 20), (across(tick), height - 2), stroke=stroke, width=0.5)
        yield text((across(tick), 17.5), tick_words(tick, places), size=6.6, fill=colours.TEXT_2, anchor="middle")


def _bar(bar: UnitBar, across: Scale, y: float) -> Iterator[str]:
    yield text((0, y + 7.6), bar.name, size=7.4, weight=SEMIBOLD)
    total = 0.0
    for (kind, _, fill), amount in zip(KINDS, bar.parts, strict=True):
        start, total = total, total + max(amount, 0.0)
        box = ((across(start), y), (across(total) - across(start) - 0.4, 9.5))
        yield hatch(*box) if kind == "idle" else rect(*box, fill=fill)
    yield text((across(total) + 4, y + 7.6), bar.words, size=7.2, weight=SEMIBOLD)
