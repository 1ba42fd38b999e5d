"""From plan to actual: columns from left to right, each difference starting where the one before ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, round_ticks
from templates.figures.waterfall import LESS, MORE, Step, running_ends
from templates.formats import fitted
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
HEIGHT: Final = 112.0
LEFT: Final = 30.0
FOOT: Final = 24.0
WIDEST: Final = 54.0


def plan_columns(steps: Sequence[Step], top: float, alt: str) -> Markup:
    """Totals stand on zero; the axis reaches `top` at least, as that of the figure beside it does."""
    ends = running_ends(steps)
    ticks = round_ticks(min(0.0, *(min(pair) for pair in ends)), max(top, *(max(pair) for pair in ends)), 4)
    rise = Scale(ticks[0], ticks[-1], HEIGHT - FOOT, 10)
    slot = (WIDTH - LEFT) / len(steps)
    parts = [*money_axis(ticks, rise, LEFT, WIDTH)]
    for place, (step, (start, end)) in enumerate(zip(steps, ends, strict=True)):
        x, width = LEFT + (place + 0.5) * slot, min(slot * 0.6, WIDEST)
        parts += _column(step, (start, end), x, width, rise)
        parts += _names(step, x, slot)
        if place + 1 < len(steps):
            parts.append(line((x + width / 2, rise(end)), (x + slot - width / 2, rise(end)), stroke=colours.TEXT_2))
    return figure((WIDTH, HEIGHT), alt, parts)


def _column(step: Step, ends: tuple[float, float], x: float, width: float, rise: Scale) -> Iterator[str]:
    high, low = rise(max(ends)), rise(min(ends))
    fill = colours.INK if step.is_total else MORE if step.amount >= 0 else LESS
    yield rect((x - width / 2, high), (width, max(low - high, 0.6)), fill=fill)
    yield text((x, high - 3), step.words, size=7.2, anchor="middle", weight=SEMIBOLD)


def _names(step: Step, x: float, slot: float) -> Iterator[str]:
    """The name in one line, or in two where it has a comma."""
    for place, words in enumerate(step.name.split(", ", 1)):
        shown = fitted(words, slot - 4, 7)
        weight = SEMIBOLD if step.is_total else 400
        yield text((x, HEIGHT - FOOT + 10 + 8.2 * place), shown, size=7, anchor="middle", weight=weight)
