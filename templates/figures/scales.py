"""From amounts to points: straight scales that start at a round number, and the ticks on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A straight map from amounts to points."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The point of an amount."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True)
class LogScale:
    """A logarithmic map from positive amounts to points."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The point of an amount."""
        span = math.log(self.high / self.low)
        return self.start + math.log(max(value, 1e-300) / self.low) / span * (self.end - self.start)


def tick_step(span: float, ticks: int) -> float:
    """The round step that divides a span into about so many parts."""
    raw = span / ticks
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in STEPS if step * power >= raw * (1 - 1e-9))


def round_ticks(low: float, high: float, ticks: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`; money axes have 0 among them."""
    if high <= low:
        high = low + 1.0
    step = tick_step(high - low, ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [multiple * step for multiple in range(first, last + 1)]


def tick_places(values: list[float]) -> int:
    """Decimals that tell neighbouring ticks apart."""
    step = values[1] - values[0] if len(values) > 1 else 1.0
    return next((places for places in range(4) if abs(round(step, places) - step) < step * 1e-6), 4)


def apart(heights: list[float], gap: float, low: float, high: float) -> list[float]:
    """Heights in their order, pushed at least `gap` apart within the limits."""
    order = sorted(range(len(heights)), key=lambda position: (heights[position], position))
    moved = [min(max(heights[position], low), high) for position in order]
    for position in range(1, len(moved)):
        moved[position] = max(moved[position], moved[position - 1] + gap)
    limit = high
    for position in reversed(range(len(moved))):
        moved[position] = min(moved[position], limit)
        limit = moved[position] - gap
    spread_heights = list(heights)
    for position, height in zip(order, moved, strict=True):
        spread_heights[position] = height
    return spread_heights
