"""Small figures that stand in a line of text or a table cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import Scale
from templates.svg import circle, figure, line, polygon, polyline, rect, triangle

SPARK_SIZE: Final = (66.0, 22.0)
AXIS_END: Final = 0.6


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


def swatch(cost_class: str) -> Markup:
    """The fill of a class of cost."""
    outline = colours.INK if cost_class == "unallocated" else "none"
    box = rect((0.5, 0.5), (6, 6), fill=colours.FILLS[cost_class], stroke=outline, width=0.7, dash="1.5 1")
    return figure((7, 7), colours.NAMES[cost_class], [box], "icon")


def sparkline(values: Sequence[float | None], plan: Sequence[float | None], alt: str) -> Markup:
    """Thirteen months as a line, the last point dotted; the plan dashed, if there is one."""
    width, height = SPARK_SIZE
    known = [value for value in (*values, *plan) if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    across = Scale(0, max(len(values) - 1, 1), 3 if len(values) > 1 else width - 4, width - 4)
    up_ = Scale(low, high if high > low else low + 1, height - 4, 4)

    def points(series: Sequence[float | None]) -> list[tuple[float, float]]:
        return [(across(place), up_(value)) for place, value in enumerate(series) if value is not None]

    drawn = points(values)
    last = [circle(drawn[-1], 2.2, fill=colours.INK)] if drawn else []
    dashed = polyline(points(plan), stroke=colours.TEXT_2, width=0.5, dash="2 1.5")
    return figure(SPARK_SIZE, alt, [dashed, polyline(drawn, stroke="#454D57", width=0.9), *last], "sparkline")


def range_bar(low: float, median: float, high: float, limits: tuple[float, float], alt: str) -> Markup:
    """P10 to P90 as a bar on an axis that all rows share, the median as a stroke."""
    across = Scale(min(limits[0], 0.0), limits[1] if limits[1] > limits[0] else 1.0, 2, 90)
    parts = [
        rect((2, 4), (88, 2.6), fill=colours.GRID),
        rect((across(low), 3.7), (max(across(high) - across(low), 0.8), 3.2), fill="#6B7480"),
        line((across(median), 1.6), (across(median), 9), stroke=colours.INK, width=1.3),
    ]
    return figure((92, 10.6), alt, parts, "range")


def thirds_bar(shares: Sequence[float], target: Sequence[float], alt: str) -> Markup:
    """A model's three shares as one bar; the target boundaries black on white."""
    width, height = 88.0, 9.0
    parts, x = [], 0.0
    for phase, share in zip(("pretraining", "posttraining", "inference"), shares, strict=True):
        parts.append(rect((x, 0), (max(share * width - 0.5, 0), height), fill=colours.FILLS[phase]))
        x += share * width
    for boundary in (end for end in (target[0], target[0] + target[1]) if end):
        parts.append(line((boundary * width, 0), (boundary * width, height), stroke=colours.PAPER, width=1.6))
        parts.append(line((boundary * width, 0), (boundary * width, height), stroke=colours.INK, width=0.6))
    return figure((width, height), alt, parts, "thirds-bar")


def penalty_mark(
    penalty: float | None, spread: tuple[float, float] | None, dead_band: float, status: str, alt: str
) -> Markup:
    """A penalty on an axis from 0 to 60 %, the band shaded, P10 to P90 as a whisker."""
    width, height = 84.0, 9.6
    across = Scale(0, AXIS_END, 3, width - 6)
    edge = across(min(dead_band, AXIS_END))
    parts = [
        rect((3, 0.5), (edge - 3, height - 1), fill=colours.TARGET_FILL),
        line((edge, 0.5), (edge, height - 0.5), stroke=colours.TARGET, width=1),
    ]
    if spread is not None:
        low, high = (across(min(max(value, 0.0), AXIS_END)) for value in spread)
        dash = "2 1.6" if status == "too_young" else ""
        parts.append(line((low, height / 2), (high, height / 2), stroke=colours.INK, width=0.7, dash=dash))
        parts += _beyond(across, height / 2) if spread[1] > AXIS_END else []
    if penalty is not None and status != "too_young":
        parts += _penalty_dot(across, penalty, status, (dead_band, height / 2))
    return figure((width, height), alt, parts, "penalty")


def _beyond(across: Scale, y: float) -> list[str]:
    """An open point where P10 to P90 goes on beyond the axis."""
    x = across(AXIS_END)
    return [polyline(((x + 1, y - 2), (x + 4, y), (x + 1, y + 2)), width=0.7)]


def _penalty_dot(across: Scale, penalty: float, status: str, place: tuple[float, float]) -> list[str]:
    """Grey inside the band today, black outside of it."""
    dead_band, y = place
    if penalty > AXIS_END:
        x = across(AXIS_END)
        return [
            line((x - 6, y), (x, y), width=0.8),
            polygon(((x, y - 2.4), (x + 4, y), (x, y + 2.4)), fill=colours.INK),
        ]
    at = (across(max(penalty, 0.0)), y)
    if status == "no_own_pretraining":
        return [circle(at, 2.4, fill=colours.PAPER, stroke=colours.INK, width=0.9)]
    return [circle(at, 2.4, fill=colours.MID_GREY if penalty <= dead_band else colours.INK)]
