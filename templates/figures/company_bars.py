"""The company's thirds at several moments, each one bar of 100 % across dashed targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD, text_width
from warehouse.vocabulary import PHASES

WIDTH: Final = 174.0
BAR: Final = 21.0
ROW: Final = 36.0
HEAD: Final = 12.0


@dataclass(frozen=True)
class CompanyBar:
    """One moment: its name, its amount in words, and the three shares with their percentages."""

    name: str
    note: str
    shares: tuple[float, float, float]
    words: tuple[str, str, str]


def company_bars(bars: Sequence[CompanyBar], target: tuple[float, float, float], alt: str) -> Markup:
    """The bars under the names of the phases; targets pass behind and stop at their labels."""
    foot = HEAD + ROW * len(bars)
    bounds = (target[0], target[0] + target[1])
    parts = [*_heads()]
    parts += [
        line((bound * WIDTH, HEAD + 3), (bound * WIDTH, foot + 4), stroke=colours.TARGET, dash="2 1.6", width=0.9)
        for bound in bounds
    ]
    for row_number, bar in enumerate(bars):
        parts += _bar(bar, HEAD + row_number * ROW)
    parts += _targets(bounds, foot + 10)
    return figure((WIDTH, foot + 14), alt, parts)


def _heads() -> Iterator[str]:
    yield text((0, 7), "Pre-training", size=6.8, fill=colours.PRETRAINING, weight=SEMIBOLD)
    yield text((WIDTH * 0.55, 7), "Post-training", size=6.8, fill=colours.POSTTRAINING_TEXT, weight=SEMIBOLD,
               anchor="middle")  # fmt: skip
    yield text((WIDTH, 7), "Inference", size=6.8, fill=colours.INFERENCE_TEXT, weight=SEMIBOLD, anchor="end")


def _bar(bar: CompanyBar, y: float) -> Iterator[str]:
    name = text_width(bar.name, 7, weight=SEMIBOLD)
    note = text_width(bar.note, 6.8)
    yield rect((0, y + 2), (name + note + 9, 10), fill=colours.PAPER)
    yield text((0, y + 10), bar.name, size=7, weight=SEMIBOLD)
    yield text((name + 5, y + 10), bar.note, size=6.8, fill=colours.TEXT_2)
    x = 0.0
    for phase, share, words in zip(PHASES, bar.shares, bar.words, strict=True):
        width = share * WIDTH
        yield rect((x, y + 13), (max(width - 0.6, 0.0), BAR), fill=colours.FILLS[phase])
        short = words.removesuffix("\u00a0%")
        shown = next((one for one in (words, short) if text_width(one, 8.4, weight=SEMIBOLD) + 4 <= width), "")
        if shown:
            yield text((x + width / 2, y + 26.6), shown, size=8.4, weight=SEMIBOLD, anchor="middle",
                       fill=colours.ON_FILL[phase])  # fmt: skip
        x += width


def _targets(bounds: tuple[float, float], y: float) -> Iterator[str]:
    labels = [f"{bound * 100:.0f}" for bound in bounds]
    for bound, words in zip(bounds, labels, strict=True):
        yield text((bound * WIDTH, y), words, size=6.8, fill=colours.TARGET, weight=SEMIBOLD, anchor="middle")
    middle = (bounds[0] + bounds[1]) / 2 * WIDTH
    if (bounds[1] - bounds[0]) * WIDTH > 44:  # noqa: PLR2004 - room for the word between the labels
        yield text((middle, y), "target", size=6.8, fill=colours.TARGET, weight=SEMIBOLD, anchor="middle")
