"""The same quality at other sizes: training falls and serving rises with size; the sum has a lowest point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.panels import BOTTOM, HEIGHT, LEFT, TOP, WIDTH
from templates.figures.scales import LogScale, Scale, apart, round_ticks
from templates.svg import Point, circle, figure, hatch, line, polyline, rect, text
from templates.typesetting.typeface import REGULAR, SEMIBOLD, text_width

END: Final = 212.0
SIZE: Final = 6.8
REACH: Final = 2.2
FEWEST: Final = 3


@dataclass(frozen=True)
class SizePoint:
    """One size with its costs in the unit of the axis."""

    params: float
    training: float
    serving: float
    total: float
    point: str
    is_extrapolated: bool


@dataclass(frozen=True)
class OptimumBand:
    """The size of least cost, low and high, and the words at the optimum, at now, and on the level line."""

    low: float
    high: float
    words: tuple[str, str, str]


def iso_loss(
    points: Sequence[SizePoint], optimum: OptimumBand | None, sizes: Sequence[tuple[float, str]], alt: str
) -> Markup:
    """Three curves over size on a log axis; `sizes` are its ticks, `points` as of `near`."""
    across = LogScale(points[0].params, points[-1].params, LEFT, END)
    ticks = round_ticks(0.0, max(point.total for point in points) * 1.02, 4)
    rise = Scale(ticks[0], ticks[-1], BOTTOM - 6, TOP + 8)
    parts = [*_beyond(points, across)]
    if optimum:
        low, high = (
            across(min(max(size, points[0].params), points[-1].params)) for size in (optimum.low, optimum.high)
        )
        parts.append(rect((low, TOP + 8), (high - low, BOTTOM - 14 - TOP), fill=colours.TARGET_FILL))
    parts += money_axis(ticks, rise, LEFT, END)
    for name, stroke, width in (
        ("training", colours.PRETRAINING, 0.9), ("serving", colours.INFERENCE_TEXT, 0.9), ("total", colours.INK, 1.7),
    ):  # fmt: skip
        curve = [(across(point.params), rise(getattr(point, name))) for point in points]
        parts.append(polyline(curve, stroke=stroke, width=width))
    parts += _names(points, across, rise)
    parts += _now(points, optimum, across, rise) if optimum else []
    for tick_number, (size, words) in enumerate(sizes):
        at = (across(size) + (5 if not tick_number else 0), HEIGHT - 13)
        parts.append(text(at, words, size=6.6, fill=colours.TEXT_2, anchor="middle"))
    parts.append(
        text(((LEFT + END) / 2, HEIGHT - 4), "parameters (log scale)", size=6.6, fill=colours.TEXT_2, anchor="middle")
    )
    return figure((WIDTH, HEIGHT), alt, parts)


def near(points: Sequence[SizePoint]) -> list[SizePoint]:
    """The sizes worth drawing: none that costs many times what now and the optimum do, which would flatten the rest."""
    marked = [point.total for point in points if point.point != "curve"] or [min(point.total for point in points)]
    most = REACH * max(marked)
    kept = [point for point in points if point.total <= most]
    return kept if len(kept) > FEWEST else list(points)


def _beyond(points: Sequence[SizePoint], across: LogScale) -> Iterator[str]:
    """Hatches the sizes at either end that lie beyond the data of the law."""
    for ordered in (list(points), list(reversed(points))):
        run = [across(point.params) for point in takewhile(lambda point: point.is_extrapolated, ordered)]
        if len(run) > 1 and len(run) < len(points):
            left, right = min(run), max(run)
            yield hatch((left, TOP + 8), (right - left, BOTTOM - 14 - TOP), step=4, ground=colours.PAPER)


def _names(points: Sequence[SizePoint], across: LogScale, rise: Scale) -> Iterator[str]:
    """The curves are named where they end."""
    last = points[-1]
    lines = (("total", colours.INK), ("training", colours.PRETRAINING), ("serving", colours.INFERENCE_TEXT))
    heights = apart([rise(getattr(last, name)) + 2.3 for name, _ in lines], 8, TOP + 8, BOTTOM - 6)
    for (name, fill), y in zip(lines, heights, strict=True):
        weight = SEMIBOLD if name == "total" else REGULAR
        yield text((across(last.params) + 3, y), name, size=SIZE, fill=fill, weight=weight)


def _now(points: Sequence[SizePoint], optimum: OptimumBand, across: LogScale, rise: Scale) -> Iterator[str]:
    now = next((point for point in points if point.point == "now"), None)
    best = next((point for point in points if point.point == "optimum"), None)
    if best:
        x, y = across(best.params), rise(best.total)
        if now:
            yield line((x, y), (across(now.params), y), stroke=colours.INK, width=0.6, dash="2 1.6")
            yield from _boxed(((x + across(now.params)) / 2, y + 9), optimum.words[2], colours.TARGET)
        yield circle((x, y), 2.6, fill=colours.PAPER, stroke=colours.INK, width=1.1)
        yield text((x, TOP + 4), optimum.words[0], size=SIZE, anchor="middle", weight=SEMIBOLD)
    if now:
        x, y = across(now.params), rise(now.total)
        width = text_width(optimum.words[1], SIZE, weight=SEMIBOLD)
        aside = width / 2 + 3 if best and now.params < best.params else -width / 2 - 1
        middle = min(max(x + aside, LEFT + width / 2 + 1), END - width / 2)
        yield from _boxed((middle, max(y - 7, TOP + 14)), optimum.words[1], colours.INK)
        yield circle((x, y), 2.4, fill=colours.INK)


def _boxed(at: Point, words: str, fill: str) -> Iterator[str]:
    """Words that a curve or the hatching behind them leaves readable."""
    width = text_width(words, SIZE, weight=SEMIBOLD) + 2
    yield rect((at[0] - width / 2, at[1] - SIZE * 0.82), (width, SIZE * 1.05), fill=colours.PAPER)
    yield text(at, words, size=SIZE, fill=fill, anchor="middle", weight=SEMIBOLD)
