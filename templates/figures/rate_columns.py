"""The price of a million tokens month by month, as columns of its three parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, apart, round_ticks
from templates.svg import figure, hatch, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 262.0
HEIGHT: Final = 96.0
LEFT: Final = 24.0
RIGHT: Final = 190.0
LABEL_GAP: Final = 7.6


@dataclass(frozen=True)
class RateMonth:
    """One month: used, idle and shared, training."""

    letter: str
    year: str
    parts: tuple[float, float, float]


def rate_columns(months: Sequence[RateMonth], labels: tuple[str, str, str, str], alt: str) -> Markup:
    """The columns, and at the right the last month's whole and parts in words, where it has a price."""
    tops = [sum(max(part, 0.0) for part in month.parts) for month in months]
    ticks = round_ticks(0.0, max([*tops, 1e-9]), 3)
    rise = Scale(0.0, ticks[-1], HEIGHT - 20, 8)
    slot = (RIGHT - LEFT) / max(len(months), 8)
    parts = [*money_axis(ticks, rise, LEFT, LEFT + slot * len(months))]
    for month_number, month in enumerate(months):
        x, below = LEFT + (month_number + 0.5) * slot, 0.0
        for kind, value in zip(("used", "idle", "training"), month.parts, strict=True):
            top = below + max(value, 0.0)
            box = ((x - slot * 0.34, rise(top)), (slot * 0.68, max(rise(below) - rise(top) - 0.4, 0.0)))
            fill = colours.INFERENCE if kind == "used" else colours.PRETRAINING
            parts.append(hatch(*box, step=2.0) if kind == "idle" else rect(*box, fill=fill))
            below = top
        is_last = month_number == len(months) - 1
        weight, fill = (SEMIBOLD, colours.INK) if is_last else (400, colours.TEXT_2)
        parts.append(text((x, HEIGHT - 10), month.letter, size=6.6, anchor="middle", weight=weight, fill=fill))
        if month.year:
            parts.append(text((x - slot * 0.34, HEIGHT - 2), month.year, size=6.4, fill=colours.TEXT_2))
    parts += _labels(months[-1], labels, rise, LEFT + slot * len(months) + 5)
    return figure((WIDTH, HEIGHT), alt, parts)


def _labels(month: RateMonth, labels: tuple[str, str, str, str], rise: Scale, x: float) -> list[str]:
    used, idle, training = (max(part, 0.0) for part in month.parts)
    whole = used + idle + training
    if not whole:
        return []
    wanted = [rise(whole) + 1, rise(used + idle + training / 2) + 3, rise(used + idle / 2) + 3, rise(used / 2) + 3]
    fills = [colours.INK, colours.PRETRAINING, colours.TEXT_2, colours.INFERENCE_TEXT]
    return [
        text((x, y), words, size=6.8, fill=fill, weight=SEMIBOLD)
        for y, words, fill in zip(apart(wanted, LABEL_GAP, LABEL_GAP, HEIGHT - 12), labels, fills, strict=True)
        if words
    ]
