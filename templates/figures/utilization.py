"""Utilisation against the price of serving: emptier machines make dearer tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import LogScale, Scale, apart
from templates.svg import circle, figure, line, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
HEIGHT: Final = 150.0
LEFT: Final = 34.0
RIGHT: Final = 400.0
LARGE: Final = 100_000
MOST_TICKS: Final = 10
DECADE_STEPS: Final = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Use:
    """One model: the busy share of its GPUs, and its price a million tokens."""

    name: str
    utilization: float
    price: float
    words: str


def utilization_scatter(uses: Sequence[Use], currency: str, alt: str) -> Markup:
    """Dots on a straight x and a logarithmic y, their names at the right."""
    prices = [use.price for use in uses]
    low, high = _decades(min(prices), max(prices))
    across, rise = Scale(0, 1, LEFT, RIGHT), LogScale(low, high, HEIGHT - 22, 6)
    parts = [*_axes(low, high, across, rise, currency)]
    at = [(across(min(use.utilization, 1.0)), rise(use.price)) for use in uses]
    for (x, y), use, level in zip(at, uses, apart([y for _, y in at], 8.6, 6, HEIGHT - 22), strict=True):
        parts.append(line((x, y), (RIGHT + 8, level), stroke=colours.LINE, width=0.4))
        parts.append(circle((x, y), 2.6, fill=colours.INFERENCE_TEXT))
        parts.append(text((RIGHT + 11, level + 2.3), use.name, size=6.8, weight=SEMIBOLD))
        parts.append(text((WIDTH, level + 2.3), use.words, size=6.8, anchor="end"))
    return figure((WIDTH, HEIGHT), alt, parts)


def _decades(low: float, high: float) -> tuple[float, float]:
    steps = _round_steps(low, high)
    below = max(step for step in steps if step <= low)
    above = min((step for step in steps if step > max(high, below)), default=below * 10)
    return below, above


def _round_steps(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every decade from below `low` to above `high`."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in DECADE_STEPS]


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every decade; where that is too many, whole decades, as many as fit."""
    steps = [step for step in _round_steps(low, high) if low <= step <= high]
    if len(steps) <= MOST_TICKS:
        return steps
    powers = [step for step in steps if abs(math.log10(step) - round(math.log10(step))) < 1e-9]  # noqa: PLR2004 - rounding
    return powers[:: -(-len(powers) // MOST_TICKS)]


def _axes(low: float, high: float, across: Scale, rise: LogScale, currency: str) -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield line((across(share), 4), (across(share), HEIGHT - 20), stroke=colours.GRID, width=0.5)
        words = f"{share * 100:.0f}\u00a0%"
        yield text((across(share), HEIGHT - 11), words, size=6.6, fill=colours.TEXT_2, anchor="middle")
    yield text((across(0.5), HEIGHT - 2), "busy share of the GPUs that serve it", size=6.6, fill=colours.TEXT_2,
               anchor="middle")  # fmt: skip
    for value in _ticks(low, high):
        yield line((LEFT, rise(value)), (RIGHT, rise(value)), stroke=colours.GRID, width=0.5)
        words = f"{currency}{value:,g}" if value < LARGE else f"{currency}{value:,.0f}"
        yield text((LEFT - 4, rise(value) + 2.3), words, size=6.6, fill=colours.TEXT_2, anchor="end")
