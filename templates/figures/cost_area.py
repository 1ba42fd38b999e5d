"""Cost so far: cumulative spend by phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.panels import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, time_labels
from templates.figures.scales import Scale, apart, round_ticks
from templates.svg import Point, band, circle, figure, line, text
from templates.typesetting.typeface import SEMIBOLD, text_width
from warehouse.vocabulary import PHASES

LINE = 8.0
SIZE = 6.6


@dataclass(frozen=True)
class Event:
    """Something that happened at the end of one of the months."""

    month_number: int
    words: str


def cost_area(
    months: Sequence[str], sums: Sequence[tuple[float, float, float]], amounts: Sequence[str], total: str,
    events: Sequence[Event], alt: str,
) -> Markup:  # fmt: skip
    """Stacked areas with their amounts at the right, the total at the last point, and at most three events."""
    shown = [sums[0], *sums] if len(sums) == 1 else list(sums)
    names = [months[0], *months] if len(months) == 1 else list(months)
    tops = [sum(max(value, 0.0) for value in point) for point in shown]
    ticks = round_ticks(0.0, max(*tops, 1e-9) * 1.08, 4)
    rise, across = Scale(ticks[0], ticks[-1], BOTTOM, TOP), Scale(0, len(shown) - 1, LEFT, RIGHT)
    parts = [*money_axis(ticks, rise, LEFT, RIGHT)]
    below = [0.0] * len(shown)
    middles = []
    for layer, phase in enumerate(PHASES):
        above = [low + max(point[layer], 0.0) for low, point in zip(below, shown, strict=True)]
        upper = [(across(month_number), rise(value)) for month_number, value in enumerate(above)]
        lower = [(across(month_number), rise(value)) for month_number, value in enumerate(below)]
        parts.append(band(upper, lower, fill=colours.FILLS[phase]))
        middles.append(rise((above[-1] + below[-1]) / 2))
        below = above
    parts += _amounts(middles, amounts, shown[-1])
    end = across(len(shown) - 1) - 4, rise(tops[-1]) - 3
    taken = end[0] - text_width(total, 7.2, weight=SEMIBOLD), end[1]
    roof = [(across(month_number), rise(top)) for month_number, top in enumerate(tops)]
    parts += [part for event in events for part in _event(event, roof, taken)]
    parts.append(circle((across(len(shown) - 1), rise(tops[-1])), 2.0, fill=colours.INK))
    parts.append(text(end, total, size=7.2, anchor="end", weight=SEMIBOLD))
    parts += time_labels(names, across)
    return figure((WIDTH, HEIGHT), alt, parts)


def _amounts(middles: list[float], amounts: Sequence[str], last: tuple[float, float, float]) -> Iterator[str]:
    kept = [phase_number for phase_number in range(3) if last[phase_number] > 0]
    heights = apart([middles[phase_number] for phase_number in kept], 17, TOP + 2, BOTTOM - 8)
    for phase_number, y in zip(kept, heights, strict=True):
        phase = PHASES[phase_number]
        yield text((RIGHT + 5, y), colours.NAMES[phase], size=7, fill=colours.TEXTS[phase], weight=SEMIBOLD)
        yield text((RIGHT + 5, y + 8), amounts[phase_number], size=6.8, fill=colours.TEXT_2)


def _event(event: Event, roof: Sequence[Point], taken: Point) -> Iterator[str]:
    """A mark with its words over the areas; where the total stands, they stand above it."""
    x, y = roof[event.month_number]
    width = text_width(event.words, SIZE) + 2
    is_right = x - width < LEFT
    span = (x, x + width) if is_right else (x - width, x)
    top = max(min(y - 26, _highest(roof, span) - 5), TOP + 8)
    if span[1] > taken[0] and abs(top + 2 - taken[1]) < LINE:
        top = max(taken[1] - LINE, 6.0) - 2
    yield line((x, y), (x, top), stroke=colours.INK, width=0.5)
    yield circle((x, y), 1.5, fill=colours.INK)
    yield text((x + (2 if is_right else -2), top + 2), event.words, size=SIZE, anchor="start" if is_right else "end")


def _highest(roof: Sequence[Point], span: tuple[float, float]) -> float:
    """The top of the areas between two places, as a height on paper."""
    crossed = [
        start[1] + (end[1] - start[1]) * (min(max(at, start[0]), end[0]) - start[0]) / (end[0] - start[0])
        for start, end in pairwise(roof)
        for at in span
        if start[0] < span[1] and end[0] > span[0]
    ]
    return min(crossed, default=roof[-1][1])
