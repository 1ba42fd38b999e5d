"""Amounts by name: horizontal bars with two columns of numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import Scale
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 226.0
LEFT: Final = 68.0
RIGHT: Final = 122.0
ROW: Final = 12.6


@dataclass(frozen=True)
class ShareBar:
    """One name with its amount, and the numbers of its columns."""

    name: str
    amount: float
    words: str
    columns: tuple[str, str]


def share_bars(bars: Sequence[ShareBar], heads: tuple[str, str], alt: str) -> Markup:
    """The largest on top."""
    most = max((bar.amount for bar in bars), default=1.0)
    across = Scale(0.0, most if most > 0 else 1.0, LEFT, RIGHT)
    height = 12 + ROW * len(bars)
    parts = [line((LEFT, 9), (LEFT, height), width=0.8)]
    for x, words in zip((188.0, WIDTH), heads, strict=True):
        parts.append(text((x, 6), words, size=6.4, fill=colours.TEXT_2, anchor="end"))
    for row_number, bar in enumerate(bars):
        y = 11 + row_number * ROW
        parts.append(text((LEFT - 4, y + 7), bar.name, size=7.0, anchor="end"))
        parts.append(rect((LEFT, y), (max(across(max(bar.amount, 0.0)) - LEFT, 0.6), 8.4), fill=colours.INFERENCE))
        parts.append(text((across(max(bar.amount, 0.0)) + 3, y + 7), bar.words, size=7.0, weight=SEMIBOLD))
        for x, words in zip((188.0, WIDTH), bar.columns, strict=True):
            parts.append(text((x, y + 7), words, size=7.0, anchor="end"))
    return figure((WIDTH, height), alt, parts)
