"""Axes: horizontal rules at round amounts with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from templates import colours
from templates.figures.scales import Scale, tick_places
from templates.svg import line, text
from templates.typesetting.typeface import text_width

SIZE: Final = 6.8


def tick_words(value: float, places: int) -> str:
    """A number on an axis, with a true minus."""
    words = f"{abs(value):,.{places}f}"
    return f"−{words}" if value < 0 and float(words.replace(",", "")) else words


def tick_labels(ticks: Sequence[float], plus: str = "") -> list[str]:
    """The numbers of an axis, with as many decimals as tell them apart."""
    places = tick_places(list(ticks))
    return [f"{plus}{words}" if tick > 0 and float(words.replace(",", "")) else words
            for tick, words in ((tick, tick_words(tick, places)) for tick in ticks)]  # fmt: skip


def axis_width(ticks: Sequence[float], plus: str = "") -> float:
    """Room that the numbers of an axis take."""
    return max(text_width(words, SIZE) for words in tick_labels(ticks, plus))


def money_axis(ticks: Sequence[float], rise: Scale, left: float, right: float, plus: str = "") -> Iterator[str]:
    """Rules across the plot, the one at zero darker."""
    for tick, words in zip(ticks, tick_labels(ticks, plus), strict=True):
        is_zero = abs(tick) < abs(ticks[-1] - ticks[0]) * 1e-9
        stroke, width = (colours.TEXT_2, 0.8) if is_zero else (colours.GRID, 0.5)
        yield line((left, rise(tick)), (right, rise(tick)), stroke=stroke, width=width)
        yield text((left - 4, rise(tick) + 2.3), words, size=SIZE, fill=colours.TEXT_2, anchor="end")
