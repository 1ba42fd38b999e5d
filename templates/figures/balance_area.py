"""Training still to be carried: the balance of each model, stacked over the months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, apart, round_ticks
from templates.svg import band, figure, line, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
HEIGHT: Final = 190.0
LOW: Final = 112.0
"""Points where one or two balances stand: their shape needs no more."""

FEW: Final = 2
LEFT: Final = 26.0
RIGHT: Final = 392.0
GREYS: Final = ("#2B3440", "#56606C", "#7E8792", "#A4ABB4", "#C4CAD1", "#E1E4E8")


@dataclass(frozen=True)
class Balance:
    """One model's balance at the end of each month, in the unit of the axis."""

    name: str
    amount: str
    values: tuple[float, ...]


def balance_area(balances: Sequence[Balance], months: Sequence[str], alt: str) -> Markup:
    """The largest balance at the bottom; names at the right at the height of their layer."""
    height = LOW if len(balances) <= FEW else HEIGHT
    tops = [sum(balance.values[number] for balance in balances) for number in range(len(months))]
    ticks = round_ticks(min(0.0, *tops), max(*tops, 1e-9), 4)
    rise = Scale(ticks[0], ticks[-1], height - 18, 8)
    across = Scale(0, max(len(months) - 1, 1), LEFT, RIGHT)
    parts = [*money_axis(ticks, rise, LEFT, RIGHT)]
    below = [0.0] * len(months)
    heights = []
    for number, balance in enumerate(balances):
        above = [low + value for low, value in zip(below, balance.values, strict=True)]
        parts += _layer(above, below, across, rise, GREYS[number % len(GREYS)])
        heights.append(rise((above[-1] + below[-1]) / 2))
        below = above
    parts += _month_names(months, across, height)
    parts += _names(balances, apart(heights, 16, 8, height - 24))
    return figure((WIDTH, height), alt, parts)


def _layer(above: list[float], below: list[float], across: Scale, rise: Scale, fill: str) -> Iterator[str]:
    month_numbers = range(len(above))
    if len(above) == 1:
        above, below, month_numbers = above * 2, below * 2, range(2)
    upper = [(across(month_number), rise(above[month_number])) for month_number in month_numbers]
    lower = [(across(month_number), rise(below[month_number])) for month_number in month_numbers]
    yield band(upper, lower, fill=fill)
    for start, end in pairwise(upper):
        yield line(start, end, stroke=colours.PAPER, width=0.6)


def _month_names(months: Sequence[str], across: Scale, height: float) -> Iterator[str]:
    every = 1 if len(months) <= 7 else 3  # noqa: PLR2004 - as many as fit
    for month_number in range(len(months) - 1, -1, -every):
        yield text(
            (across(month_number), height - 6), months[month_number], size=6.8, fill=colours.TEXT_2, anchor="middle"
        )


def _names(balances: Sequence[Balance], heights: list[float]) -> Iterator[str]:
    for balance, y in zip(balances, heights, strict=True):
        yield text((RIGHT + 8, y), balance.name, size=7.2, weight=SEMIBOLD)
        yield text((RIGHT + 8, y + 8), balance.amount, size=6.8, fill=colours.TEXT_2)
