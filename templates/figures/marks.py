"""Small figures that stand in a line of text or a table cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import LogScale, Scale
from templates.svg import circle, figure, line, polygon, polyline, rect, text, triangle
from warehouse.vocabulary import PHASES

SPARK_SIZE: Final = (58.0, 15.0)
PENALTY_ENDS: Final = (0.01, 3.2)
PENALTY_WIDTH: Final = 84.0
RANGE_WIDTH: Final = 92.0
LEAST_RANGE: Final = 2.0
LEAST_WHISKER: Final = 3.0
"""Points under which a range is a dot: two marks on each other say nothing."""


def passed() -> Markup:
    """A tick in a green disc."""
    parts = [
        circle((4, 4), 4, fill=colours.TARGET),
        polyline(((2.2, 4.1), (3.5, 5.4), (5.9, 2.8)), stroke=colours.PAPER, width=1.0),
    ]
    return figure((8, 8), "passed", parts, "icon")


def attention() -> Markup:
    """A red triangle with an exclamation mark."""
    parts = [
        polygon(((4.5, 0.6), (8.6, 7.6), (0.4, 7.6)), fill=colours.PAPER, stroke=colours.ATTENTION, width=0.8),
        line((4.5, 3), (4.5, 5.2), stroke=colours.ATTENTION, width=0.9),
        circle((4.5, 6.4), 0.5, fill=colours.ATTENTION),
    ]
    return figure((9, 8), "needs attention", parts, "icon")


def up(fill: str) -> Markup:
    """A small triangle that points upwards."""
    return figure((6, 5.4), "up", [triangle((3, 2.7), 5.2, fill=fill)], "icon")


def down(fill: str) -> Markup:
    """A small triangle that points downwards."""
    return figure((6, 5.4), "down", [triangle((3, 2.7), 5.2, fill=fill, points="down")], "icon")


def arrow(direction: str, tone: str) -> Markup:
    """The direction of a number as a triangle, in the colour of whether that is worse or better."""
    fill = {"worse": colours.ATTENTION, "better": colours.TARGET}.get(tone, colours.TEXT_2)
    return up(fill) if direction == "up" else down(fill)


def sparkline(values: Sequence[float | None], plan: Sequence[float | None], alt: str) -> Markup:
    """Thirteen months as a line, the last point dotted; the plan dashed, if there is one."""
    width, height = SPARK_SIZE
    drawn_values = [value for value in (*values, *plan) if value is not None]
    low, high = (min(drawn_values), max(drawn_values)) if drawn_values else (0.0, 1.0)
    across = Scale(0, max(len(values) - 1, 1), 1 if len(values) > 1 else width - 4, width - 4)
    up_ = Scale(low, high if high > low else low + 1, height - 3, 3)

    def points(series: Sequence[float | None]) -> list[tuple[float, float]]:
        return [(across(month_number), up_(value)) for month_number, value in enumerate(series) if value is not None]

    drawn = points(values)
    last = [circle(drawn[-1], 2.2, fill=colours.INK)] if drawn else []
    dashed = polyline(points(plan), stroke=colours.TEXT_2, width=0.5, dash="2 1.5")
    return figure(SPARK_SIZE, alt, [dashed, polyline(drawn, stroke="#454D57", width=0.9), *last], "sparkline")


def range_bar(
    low: float, median: float, high: float, limits: tuple[float, float], alt: str, width: float = RANGE_WIDTH
) -> Markup:
    """P10 to P90 as a bar on an axis that all rows share, the median as a stroke."""
    across = Scale(min(limits[0], 0.0), limits[1] if limits[1] > limits[0] else 1.0, 2, width - 2)
    parts = [
        rect((2, 4), (width - 4, 2.6), fill=colours.GRID),
        line((across(median), 1.2), (across(median), 9.4), stroke=colours.INK, width=1.5),
    ]
    if across(high) - across(low) > LEAST_RANGE:
        parts.insert(1, rect((across(low), 3.0), (across(high) - across(low), 4.6), fill="#5F6875"))
    return figure((width, 10.6), alt, parts, "range")


def change_bar(share: float, alt: str) -> Markup:
    """A change as a bar from the middle, to the right where it is more; `share` of the largest."""
    middle = 45.0
    width = max(abs(share) * 42, 0.8)
    box = rect((middle if share >= 0 else middle - width, 1.6), (width, 6.8),
               fill="#5F6875" if share >= 0 else colours.BAR_GREY)  # fmt: skip
    return figure((90, 10), alt, [box, line((middle, 0), (middle, 10), stroke=colours.LINE)], "range")


def thirds_bar(shares: Sequence[float], target: Sequence[float], alt: str) -> Markup:
    """A model's three shares as one bar; the target boundaries black on white."""
    width, height = 88.0, 9.0
    parts, x = [], 0.0
    for phase, share in zip(PHASES, shares, strict=True):
        parts.append(rect((x, 0), (max(share * width - 0.5, 0), height), fill=colours.FILLS[phase]))
        x += share * width
    for boundary in (end for end in (target[0], target[0] + target[1]) if end):
        parts.append(line((boundary * width, 0), (boundary * width, height), stroke=colours.PAPER, width=1.6))
        parts.append(line((boundary * width, 0), (boundary * width, height), stroke=colours.INK, width=0.6))
    return figure((width, height), alt, parts, "thirds-bar")


def _penalty_scale() -> LogScale:
    """From 1 to 320 %: half the models of a company leave an axis that ends at 60."""
    return LogScale(*PENALTY_ENDS, 4, PENALTY_WIDTH - 5)


def penalty_head(dead_band: float) -> Markup:
    """The numbers of the axis of penalties."""
    across = _penalty_scale()
    marks = [text((across(mark), 7), f"{mark * 100:.0f}", size=6.4, fill=colours.TEXT_2, anchor="middle")
             for mark in (0.01, 0.1, 1.0)]  # fmt: skip
    return figure((PENALTY_WIDTH, 9), f"1 to 320 %, band to {dead_band * 100:.0f} %", marks, "penalty-head")


def penalty_mark(
    penalty: float | None, spread: tuple[float, float] | None, dead_band: float, status: str, alt: str
) -> Markup:
    """A penalty on a logarithmic axis, the band shaded, P10 to P90 at retirement as a whisker with a ring."""
    height = 9.6
    across = _penalty_scale()

    def inside(value: float) -> float:
        return across(min(max(value, PENALTY_ENDS[0]), PENALTY_ENDS[1]))

    edge = inside(dead_band)
    parts = [
        rect((4, 0.5), (edge - 4, height - 1), fill=colours.TARGET_FILL),
        line((edge, 0.5), (edge, height - 0.5), stroke=colours.TARGET, width=1),
    ]
    if spread is not None:
        low, high = inside(spread[0]), inside(spread[1])
        dash = "2 1.6" if status == "too_young" else ""
        if high - low > LEAST_WHISKER:
            parts.append(line((low, height / 2), (high, height / 2), stroke=colours.TEXT_2, width=0.8, dash=dash))
        parts.append(circle(((low + high) / 2, height / 2), 2.1, fill=colours.PAPER, stroke=colours.TEXT_2, width=0.8))
    if penalty is not None and status != "too_young":
        at = (inside(penalty), height / 2)
        if status == "no_own_pretraining":
            parts.append(circle(at, 2.4, fill=colours.PAPER, stroke=colours.INK, width=0.9))
        else:
            parts.append(circle(at, 2.4, fill=colours.MID_GREY if penalty <= dead_band else colours.INK))
    return figure((PENALTY_WIDTH, height), alt, parts, "penalty")
