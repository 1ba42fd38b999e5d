"""From one total to the next by its steps alone: the totals are marks, so that small steps can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import tick_labels
from templates.figures.scales import Scale, round_ticks
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD, text_width

ROW: Final = 17.6
TOP: Final = 18.0
MORE: Final = "#5F6875"
BAR: Final = 9.0
WORDS: Final = 46.0
NARROW: Final = 220.0


@dataclass(frozen=True)
class ChangeStep:
    """One step in the unit of the axis, with its amount in words and a fact below its name."""

    name: str
    amount: float
    words: str
    fact: str = ""


def reach(steps: Sequence[ChangeStep]) -> tuple[float, float]:
    """The lowest and the highest running sum."""
    running, ends = 0.0, [0.0]
    for step in steps:
        running += step.amount
        ends.append(running)
    return min(ends), max(ends)


def change_steps(
    steps: Sequence[ChangeStep],
    start: tuple[str, str],
    end: tuple[str, str],
    width: float,
    limits: tuple[float, float],
    alt: str,
) -> Markup:
    """`start` and `end` are the names of the totals with their amounts; dark is more cost, light is less."""
    names = [start[0], end[0], *(step.name for step in steps), *(step.fact for step in steps)]
    room = min(max(text_width(name, 7.2, weight=SEMIBOLD) for name in names) + 6, width * 0.45)
    left = room + (WORDS if limits[0] < 0 else 4)
    ticks = round_ticks(limits[0], limits[1] if limits[1] > limits[0] else limits[0] + 1, 4 if width > NARROW else 2)
    across = Scale(ticks[0], ticks[-1], left, width - WORDS)
    height = TOP + ROW * (len(steps) + 2)
    parts = [*_axis(ticks, across, height)]
    parts += _total(start, across(0.0), TOP, room)
    running = 0.0
    for step_number, step in enumerate(steps, start=1):
        y = TOP + step_number * ROW
        parts += _step(step, running, across, y)
        running += step.amount
    for step_number in range(len(steps) + 1):
        x = across(sum(step.amount for step in steps[:step_number]))
        parts.append(
            line((x, TOP + step_number * ROW + BAR + 2), (x, TOP + (step_number + 1) * ROW + 2), stroke=colours.TEXT_2)
        )
    parts += _total(end, across(running), TOP + (len(steps) + 1) * ROW, room)
    return figure((width, height), alt, parts)


def _axis(ticks: list[float], across: Scale, height: float) -> Iterator[str]:
    named = _named(ticks, across)
    for tick, words in zip(ticks, tick_labels(ticks, "+"), strict=True):
        is_zero = abs(tick) < (ticks[-1] - ticks[0]) * 1e-9
        stroke = colours.TEXT_2 if is_zero else colours.GRID
        yield line((across(tick), 10), (across(tick), height - 1), stroke=stroke, width=0.5)
        if tick in named:
            yield text((across(tick), 7), words, size=6.4, fill=colours.TEXT_2, anchor="middle")


def _named(ticks: list[float], across: Scale) -> set[float]:
    """The ticks that have room for their number: 0 first, then those furthest from it."""
    widths = {tick: text_width(words, 6.4) for tick, words in zip(ticks, tick_labels(ticks, "+"), strict=True)}
    named: set[float] = set()
    for tick in (min(ticks, key=abs), *sorted(ticks, key=abs, reverse=True)):
        if all(abs(across(tick) - across(one)) > (widths[tick] + widths[one]) / 2 + 3 for one in named):
            named.add(tick)
    return named


def _total(total: tuple[str, str], x: float, y: float, room: float) -> Iterator[str]:
    name, words = total
    yield text((0, y + 9), name, size=7.2, weight=SEMIBOLD)
    yield rect((x - 1.6, y + 1), (3.2, BAR + 2), fill=colours.INK)
    if x - 5 - text_width(words, 7.2, weight=SEMIBOLD) > room:
        yield text((x - 5, y + 9), words, size=7.2, weight=SEMIBOLD, anchor="end")
    else:
        yield text((x + 5, y + 9), words, size=7.2, weight=SEMIBOLD)


def _step(step: ChangeStep, start: float, across: Scale, y: float) -> Iterator[str]:
    low, high = sorted((across(start), across(start + step.amount)))
    yield text((0, y + (7 if step.fact else 9)), step.name, size=7.2)
    if step.fact:
        yield text((0, y + 14), step.fact, size=6.3, fill=colours.TEXT_2)
    yield rect((low, y + 2), (max(high - low, 0.7), BAR), fill=MORE if step.amount >= 0 else colours.BAR_GREY)
    if step.amount >= 0:
        yield text((high + 4, y + 9), step.words, size=7.2, weight=SEMIBOLD)
    else:
        yield text((low - 4, y + 9), step.words, size=7.2, weight=SEMIBOLD, anchor="end")
