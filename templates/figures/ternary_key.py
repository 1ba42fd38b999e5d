"""The keys in the two upper corners of the triangle's area; no legend box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from templates import colours
from templates.figures.ternary import LARGEST_RADIUS
from templates.svg import circle, line, polyline, rect, text
from templates.typesetting.typeface import SANS, SEMIBOLD, text_width

ROW: Final = 12.2
SIZE_X: Final = 386.0
NICE: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5)


@dataclass(frozen=True)
class SizeStep:
    """One round amount of the size key: its radius and how it is printed."""

    radius: float
    words: str


def how_to_read(target_name: str, band: str, heavy: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The key on the left: target, band, and what a dot's colour says."""
    yield text((0, 9), "How to read it", size=7.8, weight=SEMIBOLD, family=SANS)
    rows = [("cross", f"target: {target_name}"), ("band", f"band: penalty under {band}")]
    rows += [(colours.MID_GREY, "inside the band")]
    rows += [(fill, f"outside, heavy in {phase}") for fill, phase in heavy]
    for row_number, (mark, words) in enumerate(rows):
        y = 21 + row_number * ROW
        yield from _mark(mark, y)
        yield text((19, y + 2.3), words, size=6.8)


def _mark(mark: str, y: float) -> Iterator[str]:
    if mark == "cross":
        yield line((3, y), (11, y), stroke=colours.TARGET, width=1.1)
        yield line((7, y - 4), (7, y + 4), stroke=colours.TARGET, width=1.1)
    elif mark == "band":
        yield rect((1, y - 3.2), (12, 6.4), fill=colours.TARGET_FILL, stroke=colours.TARGET, width=0.9, rounding=2.8)
    else:
        yield circle((7, y), 3.4, fill=mark)


def size_key(steps: Sequence[SizeStep]) -> Iterator[str]:
    """The key on the right: what areas mean, and the marks of trails, young models and adopted bases."""
    yield text((SIZE_X, 9), "Dot area: lifetime spend", size=7.8, weight=SEMIBOLD, family=SANS)
    x = SIZE_X
    for step in steps:
        x += step.radius
        yield circle((x, 31), step.radius, fill=colours.PAPER, stroke=colours.INK, width=0.7)
        yield text((x + step.radius + 2, 33.3), step.words, size=6.4, fill=colours.TEXT_2)
        x += step.radius + text_width(step.words, 6.4) + 6
    for row_number, words in enumerate(
        ("last six month-ends", "too young: forecast undecided", "adopted base: two phases")
    ):
        y = 58 + row_number * ROW
        yield from (_trail_mark, _young_mark, _adopted_mark)[row_number](SIZE_X + 7, y)
        yield text((SIZE_X + 19, y + 2.3), words, size=6.8)


def _trail_mark(x: float, y: float) -> Iterator[str]:
    yield polyline(((x - 7, y + 3), (x, y)), stroke="#454D57", width=0.5)
    yield polyline(((x, y), (x + 7, y - 3)), stroke="#454D57", width=1.2)
    yield circle((x, y), 1.2, fill=colours.PAPER, stroke="#454D57", width=0.5)


def _young_mark(x: float, y: float) -> Iterator[str]:
    yield circle((x, y), 3.4, fill=colours.PAPER, stroke=colours.INK, width=0.8, dash="2 1.6")


def _adopted_mark(x: float, y: float) -> Iterator[str]:
    yield circle((x, y), 3.4, fill=colours.PAPER, stroke=colours.INK, width=0.9)
    yield circle((x, y), 1.1, fill=colours.INK)


def round_sizes(largest: float) -> list[float]:
    """Three round amounts, the largest not above the largest dot."""
    if largest <= 0:
        return []
    top = nice_below(largest)
    return [size for size in (nice_below(top / 15), nice_below(top / 3), top) if size > 0]


def nice_below(value: float) -> float:
    """The largest round number that is not above the value."""
    power = 10.0 ** _power(value)
    return max(step * power for step in NICE if step * power <= value * (1 + 1e-12))


def _power(value: float) -> int:
    power = 0
    while 10.0 ** (power + 1) <= value * (1 + 1e-12):
        power += 1
    while 10.0**power > value * (1 + 1e-12):
        power -= 1
    return power


def steps(largest: float, scale: float, words: Sequence[str]) -> list[SizeStep]:
    """The round amounts with their radii."""
    sizes = round_sizes(largest)
    return [SizeStep(min(scale * size**0.5, LARGEST_RADIUS), word) for size, word in zip(sizes, words, strict=True)]
