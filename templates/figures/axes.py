"""Axes: horizontal rules at round amounts with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from templates import colours
from templates.figures.scales import Scale, tick_places
from templates.svg import line, text


def tick_words(value: float, places: int) -> str:
    """A number on an axis, with a true minus."""
    words = f"{abs(value):,.{places}f}"
    return f"−{words}" if value < 0 and float(words.replace(",", "")) else words


def money_axis(ticks: Sequence[float], rise: Scale, left: float, right: float, plus: str = "") -> Iterator[str]:
    """Rules across the plot, the one at zero darker."""
    places = tick_places(list(ticks))
    for tick in ticks:
        is_zero = abs(tick) < abs(ticks[-1] - ticks[0]) * 1e-9
        stroke, width = (colours.TEXT_2, 0.8) if is_zero else (colours.GRID, 0.5)
        yield line((left, rise(tick)), (right, rise(tick)), stroke=stroke, width=width)
        words = tick_words(tick, places)
        shown = f"{plus}{words}" if tick > 0 and not is_zero else words
        yield text((left - 4, rise(tick) + 2.3), shown, size=6.8, fill=colours.TEXT_2, anchor="end")
