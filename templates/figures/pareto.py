"""Causes by size: horizontal bars with their amounts and shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import Scale
from templates.svg import figure, hatch, line, rect, text
from templates.typesetting.typeface import SEMIBOLD

LEFT: Final = 92.0
ROW: Final = 12.6


@dataclass(frozen=True)
class Cause:
    """One bar: its name, amount, words, the running share, and whether it is idle capacity (hatched) or lost work."""

    name: str
    amount: float
    words: str
    running: str
    is_idle: bool


def pareto(causes: Sequence[Cause], alt: str, width: float = 262.0) -> Markup:
    """The largest cause on top."""
    most = max((cause.amount for cause in causes), default=1.0)
    across = Scale(0, most if most > 0 else 1.0, LEFT, width - 78)
    height = 4 + ROW * max(len(causes), 1)
    parts = [line((LEFT, 0), (LEFT, height), stroke=colours.INK, width=0.8)]
    for row_number, cause in enumerate(causes):
        parts += _bar(cause, across, 3 + row_number * ROW, width)
    return figure((width, height), alt, parts)


def _bar(cause: Cause, across: Scale, y: float, width: float) -> Iterator[str]:
    yield text((LEFT - 5, y + 7.2), cause.name, size=7.2, anchor="end")
    end = across(max(cause.amount, 0.0))
    box = ((LEFT + 0.4, y), (max(end - LEFT, 0.6), 8.4))
    yield hatch(*box) if cause.is_idle else rect(*box, fill="#5F6875")
    yield text((end + 4, y + 7.2), cause.words, size=7.0, weight=SEMIBOLD)
    yield text((width, y + 7.2), cause.running, size=7.0, fill=colours.TEXT_2, anchor="end")
