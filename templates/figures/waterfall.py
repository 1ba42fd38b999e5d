"""From one total to the next: horizontal bars that start where the one before ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_words
from templates.figures.scales import Scale, round_ticks, tick_places
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD, text_width

WIDTH: Final = 504.0
LEFT: Final = 104.0
ROW: Final = 17.0
LESS: Final = "#6B7480"
MORE: Final = "#2B3440"


@dataclass(frozen=True)
class Step:
    """One bar: a total, or a difference, in the unit of the axis, with its words."""

    name: str
    amount: float
    words: str
    is_total: bool


def waterfall(steps: Sequence[Step], alt: str) -> Markup:
    """Totals from zero, differences from the running sum; more cost to the right."""
    ends = running_ends(steps)
    lows = [min(pair) for pair in ends]
    highs = [max(pair) for pair in ends]
    ticks = round_ticks(min(0.0, *lows), max(*highs, 1e-9), 6)
    across = Scale(ticks[0], ticks[-1], LEFT, WIDTH - 46)
    height = 20 + ROW * len(steps)
    parts = [*_axis(ticks, across, height)]
    for step_number, (step, (start, end)) in enumerate(zip(steps, ends, strict=True)):
        parts += _bar(step, start, end, across, 16 + step_number * ROW)
        if step_number + 1 < len(steps):
            x = across(end)
            parts.append(
                line(
                    (x, 16 + step_number * ROW + 11),
                    (x, 16 + (step_number + 1) * ROW),
                    stroke=colours.TEXT_2,
                    width=0.5,
                )
            )
    return figure((WIDTH, height), alt, parts)


def running_ends(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """Where each bar starts and ends: totals at zero, differences at the running sum."""
    running, pairs = 0.0, []
    for step in steps:
        start = 0.0 if step.is_total else running
        running = start + step.amount
        pairs.append((start, running))
    return pairs


def _axis(ticks: list[float], across: Scale, height: float) -> Iterator[str]:
    places = tick_places(ticks)
    for tick in ticks:
        stroke = colours.TEXT_2 if abs(tick) < (ticks[-1] - ticks[0]) * 1e-9 else colours.GRID
        yield line((across(tick), 11), (across(tick), height - 3), stroke=stroke, width=0.5)
        yield text((across(tick), 7), tick_words(tick, places), size=6.6, fill=colours.TEXT_2, anchor="middle")


def _bar(step: Step, start: float, end: float, across: Scale, y: float) -> Iterator[str]:
    left, right = sorted((across(start), across(end)))
    fill = colours.INK if step.is_total else MORE if step.amount >= 0 else LESS
    weight = SEMIBOLD if step.is_total else 400
    yield text((0, y + 8.2), step.name, size=7.4, weight=weight)
    yield rect((left, y), (max(right - left, 0.6), 11), fill=fill)
    words = text_width(step.words, 7.2, weight=SEMIBOLD)
    x = right + 4 if right + 4 + words < WIDTH else left - 4 - words
    yield text((x, y + 8.2), step.words, size=7.2, weight=SEMIBOLD)
