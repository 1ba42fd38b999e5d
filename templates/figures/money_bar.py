"""Where the month's money went: one bar of 100 %."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.svg import figure, hatch, rect, text
from templates.typesetting.typeface import SANS, SEMIBOLD, text_width

WIDTH: Final = 504.0
BAR_TOP: Final = 24.0
BAR_HEIGHT: Final = 22.0
GAP: Final = 1.0


@dataclass(frozen=True)
class Segment:
    """One class of cost: its share of the bar and its words."""

    cost_class: str
    ratio: float
    amount: str
    percent: str

    @property
    def name(self) -> str:
        """The class in words."""
        return colours.NAMES[self.cost_class]


def money_bar(segments: Sequence[Segment], alt: str) -> Markup:
    """Segments with their names above where they fit, the others below on the right with a swatch."""
    drawn = [segment for segment in segments if segment.ratio > 0]
    whole = sum(segment.ratio for segment in drawn) or 1.0
    parts: list[str] = []
    outside: list[Segment] = []
    x = 0.0
    for segment in drawn:
        width = segment.ratio / whole * WIDTH
        parts += _box(segment, x, width)
        fits = width >= max(text_width(segment.name, 7.4, weight=SEMIBOLD), text_width(segment.amount, 7)) + 3
        parts += _above(segment, x) if fits else []
        outside += [] if fits else [segment]
        x += width
    outside += [segment for segment in segments if segment.ratio < 0]
    parts += _below(outside)
    return figure((WIDTH, 62 if outside else 48), alt, parts)


def _box(segment: Segment, x: float, width: float) -> list[str]:
    corner, size = (x, BAR_TOP), (max(width - GAP, 0.4), BAR_HEIGHT)
    if segment.cost_class == "idle":
        box = hatch(corner, size)
    elif segment.cost_class == "unallocated":
        inner = ((x + 0.4, BAR_TOP + 0.4), (max(size[0] - 0.8, 0.3), BAR_HEIGHT - 0.8))
        box = rect(*inner, fill=colours.PAPER, stroke=colours.INK, width=0.8, dash="2.4 1.6")
    else:
        box = rect(corner, size, fill=colours.FILLS[segment.cost_class])
    words = text_width(segment.percent, 8.2, SANS, SEMIBOLD)
    if width < words + 8:
        return [box]
    ground = (
        [rect((x + 3, BAR_TOP + 5), (words + 4, 12), fill=colours.HATCH_GROUND)] if "idle" in segment.cost_class else []
    )
    fill = colours.ON_FILL.get(segment.cost_class, colours.INK)
    return [
        box,
        *ground,
        text((x + 5, BAR_TOP + 14), segment.percent, size=8.2, fill=fill, weight=SEMIBOLD, family=SANS),
    ]


def _above(segment: Segment, x: float) -> list[str]:
    return [
        text((x, 8), segment.name, size=7.4, weight=SEMIBOLD),
        text((x, 18), segment.amount, size=7, fill=colours.TEXT_2),
    ]


def _below(segments: Sequence[Segment]) -> Iterator[str]:
    x = WIDTH
    for segment in reversed(segments):
        words = f"{segment.name} {segment.amount}, {segment.percent}"
        yield text((x, 58), words, size=7, anchor="end")
        x -= text_width(words, 7) + 10
        dash = "1.5 1" if segment.cost_class == "unallocated" else ""
        edge = colours.INK if segment.cost_class == "unallocated" else "none"
        hatched = hatch((x, 52.4), (6, 6), step=1.8) if segment.cost_class == "idle" else ""
        fill = colours.FILLS[segment.cost_class]
        yield hatched or rect((x, 52.4), (6, 6), fill=fill, stroke=edge, width=0.6, dash=dash)
        x -= 10
