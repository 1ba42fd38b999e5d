"""One bar of 100 % per model: what stands in place of the triangle while no model has two phases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.ternary_plane import Shares
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD
from warehouse.vocabulary import PHASES

WIDTH: Final = 504.0
LEFT: Final = 120.0
ROW: Final = 19.0


@dataclass(frozen=True)
class PhaseBar:
    """One model, its lifetime spend ready to print, and its shares."""

    name: str
    amount: str
    shares: Shares


def phase_bars(bars: Sequence[PhaseBar], target: Shares, alt: str) -> Markup:
    """A bar for each model, the target boundaries between them."""
    height = 30 + ROW * max(len(bars), 1)
    parts = list(_key())
    for row_number, bar in enumerate(bars):
        parts += _bar(bar, 24 + row_number * ROW)
    if not bars:
        parts.append(text((0, 34), alt, size=8, fill=colours.TEXT_2))
    for boundary in (target[0], target[0] + target[1]) if bars else ():
        x = LEFT + boundary * (WIDTH - LEFT)
        parts.append(line((x, 18), (x, height - 4), stroke=colours.TARGET, width=1))
    return figure((WIDTH, height), alt, parts)


def _key() -> Iterator[str]:
    x = LEFT
    for phase in PHASES:
        yield rect((x, 3), (7, 7), fill=colours.FILLS[phase])
        yield text((x + 11, 9), colours.NAMES[phase], size=7.2, fill=colours.TEXTS[phase], weight=SEMIBOLD)
        x += 90


def _bar(bar: PhaseBar, y: float) -> Iterator[str]:
    yield text((0, y + 6), bar.name, size=7.4, weight=SEMIBOLD)
    yield text((0, y + 13.4), bar.amount, size=6.6, fill=colours.TEXT_2)
    x = LEFT
    for phase, share in zip(PHASES, bar.shares, strict=True):
        width = share * (WIDTH - LEFT)
        yield rect((x, y), (max(width - 1, 0), 12), fill=colours.FILLS[phase])
        x += width
