"""Figure 3-1: the models in the triangle of pre-training, post-training and inference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.ternary_labels import Label, placed
from templates.figures.ternary_plane import (
    BASE_Y,
    LEFT,
    RIGHT,
    SIDE,
    TICKS,
    TOP,
    WIDTH,
    Shares,
    contour,
    point,
    shares_at,
)
from templates.svg import Point, circle, figure, halo, line, polygon, polyline, text
from templates.typesetting.typeface import SANS, SEMIBOLD

FIGURE_HEIGHT: Final = BASE_Y + 37
LARGEST_RADIUS: Final = 16.0
LEAST_RADIUS: Final = 2.8
TRAIL_FIRST: Final = 0.5
TRAIL_LAST: Final = 1.45
OUTER_LEVELS: Final = (0.25, 0.5)
TRAIL_INK: Final = "#454D57"
HEAVY: Final = {
    "pretraining_heavy": colours.PRETRAINING,
    "posttraining_heavy": colours.POSTTRAINING,
    "inference_heavy": colours.INFERENCE_TEXT,
}


@dataclass(frozen=True)
class ModelDot:
    """One model in the triangle, with its label's two lines ready to print."""

    name: str
    note: str
    shares: Shares
    spend: float
    status: str
    trail: tuple[Shares, ...] = ()
    expected: Shares | None = None

    @property
    def at(self) -> Point:
        """Where it lies."""
        return point(self.shares)

    @property
    def side(self) -> int:
        """The half it is in; young models stand on the right, where their forecast is."""
        return 1 if self.status == "too_young" or self.at[0] >= TOP[0] else -1


def ternary(dots: Sequence[ModelDot], target: Shares, dead_band: float, keys: Sequence[str], title: str) -> Markup:
    """The whole figure; `keys` are the parts that the corners of its area hold."""
    scale = radius_scale(dots)
    drawn = sorted(dots, key=lambda dot: (-dot.spend, dot.name))
    parts = [
        *_contours(target, dead_band),
        *_grid(),
        *_cross(target),
        *(part for dot in drawn for part in _trail(dot)),
        *(part for dot in drawn for part in _forecast(dot)),
        *(part for dot in drawn for part in _dot(dot, radius(dot.spend, scale))),
        *_labels(drawn, scale),
        *keys,
    ]
    return figure((WIDTH, FIGURE_HEIGHT), title, parts, "figure ternary")


def radius_scale(dots: Sequence[ModelDot]) -> float:
    """Points of radius per root of spend, such that the largest dot has the largest radius."""
    largest = max((dot.spend for dot in dots), default=0.0)
    return LARGEST_RADIUS / math.sqrt(largest) if largest > 0 else 0.0


def radius(spend: float, scale: float) -> float:
    """Radius of a dot whose area is in proportion to its spend."""
    return max(LEAST_RADIUS, scale * math.sqrt(max(spend, 0.0)))


def _contours(target: Shares, dead_band: float) -> Iterator[str]:
    outer = [level for level in OUTER_LEVELS if level > dead_band]
    fills = dict(zip(reversed(outer), (colours.PALER_BAND, colours.PALE_BAND), strict=False))
    for level in reversed(outer):
        yield polygon(contour(target, level), fill=fills[level], stroke=colours.TEXT_2, width=0.5, dash="3 2")
    yield polygon(contour(target, dead_band), fill=colours.TARGET_FILL, stroke=colours.TARGET, width=1)
    for level in outer:
        yield _level_label(target, level, colours.TEXT_2, colours.PALE_BAND)
    yield _level_label(target, dead_band, colours.TARGET, colours.TARGET_FILL)


def _level_label(target: Shares, level: float, fill: str, ground: str) -> str:
    lowest = max(contour(target, level), key=lambda at: at[1])
    is_band = fill == colours.TARGET
    words = f"+{level * 100:.0f}\u00a0%"
    at = (lowest[0] + 14, lowest[1] - 0.3)
    return halo(at, words, size=6.2, fill=fill, weight=SEMIBOLD if is_band else 400, width=20, ground=ground)


def _grid() -> Iterator[str]:
    for share in TICKS:
        rest = 1 - share
        for start, end in (
            ((share, rest, 0.0), (share, 0.0, rest)),
            ((rest, share, 0.0), (0.0, share, rest)),
            ((rest, 0.0, share), (0.0, rest, share)),
        ):
            yield line(point(start), point(end), stroke=colours.LINE, width=0.35)
    yield polygon((TOP, LEFT, RIGHT), stroke=colours.INK, width=0.9)
    for share in TICKS:
        yield from _ticks(share)
    yield from _corners()


def _ticks(share: float) -> Iterator[str]:
    slope = (SIDE / 2 / SIDE, math.sqrt(3) / 2)
    number = f"{share * 100:.0f}"
    x, y = point((share, 0.0, 1 - share))
    yield line((x, y), (x + 4, y), stroke=colours.PRETRAINING, width=0.7)
    yield text((x + 6, y + 2.1), number, size=6, fill=colours.PRETRAINING, family=SANS)
    x, y = point((1 - share, share, 0.0))
    yield line((x, y), (x - 4 * slope[0], y - 4 * slope[1]), stroke=colours.POSTTRAINING, width=0.7)
    yield text((x - 4, y - 4.2), number, size=6, fill=colours.POSTTRAINING_TEXT, anchor="end", family=SANS)
    x, y = point((0.0, 1 - share, share))
    yield line((x, y), (x - 4 * slope[0], y + 4 * slope[1]), stroke=colours.INFERENCE_TEXT, width=0.7)
    yield text((x - 3, y + 10), number, size=6, fill=colours.INFERENCE_TEXT, anchor="middle", family=SANS)


def _corners() -> Iterator[str]:
    for at, name, note, fill in (
        ((TOP[0], 9.0), "Pre-training", "100\u00a0%", colours.PRETRAINING),
        ((LEFT[0] - 14, BASE_Y + 26), "Post-training", "RL, fine-tuning, distillation", colours.POSTTRAINING_TEXT),
        ((RIGHT[0] + 14, BASE_Y + 26), "Inference", "serving, at effective cost", colours.INFERENCE_TEXT),
    ):
        yield text(at, name, size=8.6, fill=fill, anchor="middle", weight=SEMIBOLD, family=SANS)
        yield text((at[0], at[1] + 9), note, size=6.2, fill=colours.TEXT_2, anchor="middle")


def _cross(target: Shares) -> Iterator[str]:
    x, y = point(target)
    yield line((x - 5, y), (x + 5, y), stroke=colours.TARGET, width=1.1)
    yield line((x, y - 5), (x, y + 5), stroke=colours.TARGET, width=1.1)


def _trail(dot: ModelDot) -> Iterator[str]:
    if len(dot.trail) < 2:  # noqa: PLR2004 - one month-end is no trail
        return
    stops = [point(shares) for shares in dot.trail] + [dot.at]
    growth = (TRAIL_LAST - TRAIL_FIRST) / (len(stops) - 1)
    for segment_number, (start, end) in enumerate(pairwise(stops), start=1):
        yield line(start, end, stroke=TRAIL_INK, width=TRAIL_FIRST + growth * segment_number)
    for stop in stops[:-1]:
        yield circle(stop, 1.2, fill=colours.PAPER, stroke=TRAIL_INK, width=0.5)


def _forecast(dot: ModelDot) -> Iterator[str]:
    if dot.expected is None:
        return
    yield polyline((dot.at, point(dot.expected)), stroke=colours.INK, width=0.7, dash="2 1.6")
    yield circle(point(dot.expected), LEAST_RADIUS, fill=colours.PAPER, stroke=colours.INK, width=0.8, dash="2 1.6")


def _dot(dot: ModelDot, size: float) -> Iterator[str]:
    if dot.status == "too_young":
        yield circle(dot.at, size, fill=colours.PAPER, stroke=colours.INK, width=0.8, dash="2 1.6")
    elif dot.status == "no_own_pretraining":
        yield circle(dot.at, max(size, 3.4), fill=colours.PAPER, stroke=colours.INK, width=0.9)
        yield circle(dot.at, 1.2, fill=colours.INK)
    else:
        yield circle(dot.at, size + 0.9, fill=colours.PAPER)
        yield circle(dot.at, size, fill=HEAVY.get(dot.status, colours.MID_GREY))
        yield circle(dot.at, 0.8, fill=colours.PAPER)


def _labels(dots: Sequence[ModelDot], scale: float) -> Iterator[str]:
    wanted = [Label(dot.name, dot.note, dot.at, radius(dot.spend, scale), dot.side) for dot in dots]
    wanted += [
        Label(dot.name, "expected at retirement", point(dot.expected), LEAST_RADIUS, 1, is_optional=True)
        for dot in dots
        if dot.expected is not None
    ]
    for label in placed(wanted):
        start, end = label.leader
        x, y = label.anchor
        anchor = "start" if label.side > 0 else "end"
        yield line(start, end, stroke=colours.INK, width=0.45)
        yield text((x, y - 0.6), label.name, size=7.4, anchor=anchor, weight=SEMIBOLD)  # type: ignore[arg-type]
        yield text((x, y + 7.2), label.note, size=6.6, fill=colours.TEXT_2, anchor=anchor)  # type: ignore[arg-type]


def is_plotted(shares: Shares) -> bool:
    """Whether shares lie in the triangle: credits can make a phase negative."""
    return min(shares) >= 0 and min(shares_at(point(shares))) >= -1e-9  # noqa: PLR2004 - rounding
