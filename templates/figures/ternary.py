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
LEVEL_OFFSETS: Final = (14.0, -14.0, 27.0, -26.0)
LEVEL_ROOM: Final = 14.0
"""Points that a word in a contour keeps from dots and trails; more room than this is worth nothing."""
NUMBER_SIZE: Final = 6.0
ROOMY_RADIUS: Final = 5.0
"""A dot of this radius holds its number; a smaller one carries it beside itself."""
TRAIL_INK: Final = "#454D57"
HOLLOW: Final = frozenset({"too_young", "no_own_pretraining"})
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
    number: str = ""
    """Its row in the table, in place of its name: empty where the figure names it."""

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
        *_contours(target, dead_band, drawn, scale),
        *_grid(),
        *_cross(target),
        *(part for dot in drawn for part in _trail(dot)),
        *(part for dot in drawn for part in _forecast(dot)),
        *(part for dot in drawn for part in _dot(dot, radius(dot.spend, scale))),
        *_numbers(drawn, scale),
        *_labels([dot for dot in drawn if not dot.number], scale),
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


def _contours(target: Shares, dead_band: float, dots: Sequence[ModelDot], scale: float) -> Iterator[str]:
    outer = [level for level in OUTER_LEVELS if level > dead_band]
    fills = dict(zip(reversed(outer), (colours.PALER_BAND, colours.PALE_BAND), strict=False))
    for level in reversed(outer):
        yield polygon(contour(target, level), fill=fills[level], stroke=colours.TEXT_2, width=0.5, dash="3 2")
    yield polygon(contour(target, dead_band), fill=colours.TARGET_FILL, stroke=colours.TARGET, width=1)
    marks = [(dot.at, radius(dot.spend, scale)) for dot in dots]
    marks += [(point(shares), 0.0) for dot in dots for shares in dot.trail]
    for level in outer:
        yield _level_label(target, level, marks, colours.TEXT_2, colours.PALE_BAND)
    yield _level_label(target, dead_band, marks, colours.TARGET, colours.TARGET_FILL)


def _level_label(target: Shares, level: float, marks: Sequence[tuple[Point, float]], fill: str, ground: str) -> str:
    """The words of a level, in its line beside the lowest point: on the side that dots and trails leave free."""
    lowest = max(contour(target, level), key=lambda at: at[1])
    is_band = fill == colours.TARGET
    words = f"+{level * 100:.0f}\u00a0%"

    def room(at: Point) -> float:
        return min((math.dist(at, mark) - size for mark, size in marks), default=LEVEL_ROOM)

    spots = [(lowest[0] + across, lowest[1] - 0.3) for across in LEVEL_OFFSETS]
    at = max(spots, key=lambda spot: min(room(spot), LEVEL_ROOM))
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
        yield circle(dot.at, size, fill=_dot_fill(dot))
        yield circle(dot.at, 0.8, fill=colours.PAPER)


def _dot_fill(dot: ModelDot) -> str:
    return HEAVY.get(dot.status, colours.MID_GREY)


def _numbers(dots: Sequence[ModelDot], scale: float) -> Iterator[str]:
    """The row of each model that the figure does not name: in its dot, or beside it where the dot is small."""
    taken = [(dot.at, radius(dot.spend, scale)) for dot in dots]
    for dot in dots:
        size = radius(dot.spend, scale)
        if not dot.number:
            continue
        if size >= ROOMY_RADIUS and dot.status not in HOLLOW:
            yield circle(dot.at, 0.8, fill=_dot_fill(dot))
            yield text((dot.at[0], dot.at[1] + 2.1), dot.number, size=NUMBER_SIZE, fill=colours.PAPER, anchor="middle",
                       weight=SEMIBOLD)  # fmt: skip
            continue
        at = _beside_dot(dot.at, size, taken)
        taken.append((at, NUMBER_SIZE / 2))
        yield text((at[0], at[1] + 2.1), dot.number, size=NUMBER_SIZE, anchor="middle", weight=SEMIBOLD)


def _beside_dot(at: Point, size: float, taken: Sequence[tuple[Point, float]]) -> Point:
    """The middle of a number beside a dot: of eight places around it the one farthest from everything else."""
    away = size + 1.6 + NUMBER_SIZE / 2
    turns = [math.pi / 4 * turn for turn in range(8)]
    spots = [(at[0] + away * math.cos(turn), at[1] + away * math.sin(turn)) for turn in turns]

    def room(spot: Point) -> float:
        return min(math.dist(spot, other) - reach for other, reach in taken if other != at or reach != size)

    return max(spots, key=lambda spot: min(room(spot), NUMBER_SIZE)) if len(taken) > 1 else spots[0]


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
