"""Thirteen months as stacked columns and five to come in outline, the plan across, and under them the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, round_ticks
from templates.svg import figure, hatch, line, rect, text, triangle
from templates.typesetting.typeface import SEMIBOLD, text_width
from warehouse.vocabulary import PHASES

WIDTH: Final = 310.8
LEFT: Final = 22.0
SLOT: Final = 16.0
COLUMN: Final = 10.6
FEWEST_SLOTS: Final = 13
LEGEND: Final = 13.0
LABELS: Final = 22.0
STRIP: Final = 30.0
STRIP_KEY: Final = 62.0
"""Room to the right of the months for what the strip under them says, where no month to come gives it."""
STACK: Final = (*PHASES, "idle", "shared")
NAMES: Final = {**colours.NAMES, "idle": "Idle, unused", "shared": "Shared, other"}


@dataclass(frozen=True)
class MonthColumn:
    """One month in the unit of the axis: the stack from below, the plan, and its difference in words and size."""

    letter: str
    year: str
    amounts: tuple[float, ...]
    plan: float | None
    difference: float | None
    difference_words: str
    words: str = ""


@dataclass(frozen=True)
class MonthAhead:
    """One month that is not over: low, median and high, what is spent of it, and the plan."""

    letter: str
    year: str
    spent: float
    low: float
    median: float
    high: float
    plan: float | None
    words: str = ""


def month_columns(
    months: Sequence[MonthColumn], ahead: Sequence[MonthAhead], strip_unit: str, alt: str, height: float
) -> Markup:
    """The columns in `height` points, and under them a strip of differences where any month has a plan."""
    top, foot = LEGEND + 8, LEGEND + height
    plans = [month.plan for month in months] + [month.plan for month in ahead]
    amounts = [
        *(sum(max(value, 0.0) for value in month.amounts) for month in months),
        *(plan for plan in plans if plan is not None),
        *(month.high for month in ahead),
    ]
    lows = [sum(min(value, 0.0) for value in month.amounts) for month in months]
    ticks = round_ticks(min(0.0, *lows), max([*amounts, 1e-9]), 4)
    rise = Scale(ticks[0], ticks[-1], foot, top)
    has_strip = any(month.difference is not None for month in months)
    room = WIDTH - LEFT - (STRIP_KEY if has_strip and not ahead else 0)
    slot = min(SLOT * 18 / max(len(months) + len(ahead), FEWEST_SLOTS), 22.0, room / (len(months) + len(ahead)))
    right = LEFT + slot * (len(months) + len(ahead))
    parts = [*_legend(any(month.plan is not None for month in months))]
    if ahead:
        start = LEFT + slot * len(months)
        parts.append(rect((start, LEGEND + 2), (right - start, foot - LEGEND - 2), fill=colours.PALE_BAND))
        parts.append(text((start + 3, top + 7.5), "forecast, P10–P90", size=6.4, fill=colours.TEXT_2))
    parts += money_axis(ticks, rise, LEFT, right)
    for month_number, month in enumerate(months):
        parts += _column(month, LEFT + (month_number + 0.5) * slot, rise)
    for month_number, open_month in enumerate(ahead, start=len(months)):
        parts += _outline(open_month, LEFT + (month_number + 0.5) * slot, rise)
    parts += _names([*months, *ahead], slot, foot, len(months) - 1)
    parts += _strip(months, slot, foot + LABELS, strip_unit) if has_strip else []
    return figure((WIDTH, foot + LABELS + (STRIP if has_strip else 0)), alt, parts)


def _legend(has_plan: bool) -> Iterator[str]:  # noqa: FBT001 - private
    x = 0.0
    for kind in STACK:
        box = ((x, 1.0), (6.5, 6.5))
        yield hatch(*box, step=1.9) if kind == "idle" else rect(*box, fill=colours.FILLS[kind])
        yield text((x + 9, 7), NAMES[kind], size=6.6)
        x += {"idle": 51, "shared": 57}.get(kind, 53 if kind != "inference" else 44)
    if has_plan:
        yield line((x, 4.2), (x + 9, 4.2), width=1.5)
        yield text((x + 12, 7), "Plan", size=6.6)


def _column(month: MonthColumn, x: float, rise: Scale) -> Iterator[str]:
    left = x - COLUMN / 2
    above = below = 0.0
    for kind, value in zip(STACK, month.amounts, strict=True):
        low, high = (above, above + value) if value >= 0 else (below + value, below)
        above, below = max(above, high) if value >= 0 else above, below if value >= 0 else low
        box = ((left, rise(high)), (COLUMN, max(rise(low) - rise(high) - 0.5, 0.0)))
        yield hatch(*box, step=2.2) if kind == "idle" else rect(*box, fill=colours.FILLS[kind])
    yield from _plan(month.plan, x, rise)
    if month.words:
        y = min(rise(above), rise(month.plan) if month.plan is not None else rise(above))
        yield text((x, y - 3.2), month.words, size=6.6, anchor="middle", weight=SEMIBOLD)


def _plan(plan: float | None, x: float, rise: Scale) -> Iterator[str]:
    if plan is not None:
        yield line((x - COLUMN / 2 - 1.6, rise(plan)), (x + COLUMN / 2 + 1.6, rise(plan)), width=1.5)


def _outline(month: MonthAhead, x: float, rise: Scale) -> Iterator[str]:
    """White with an outline, grey up to what is spent already, P10 to P90 as a bar."""
    left = x - COLUMN / 2
    yield rect((left, rise(max(month.median, 0))), (COLUMN, rise(0) - rise(max(month.median, 0))), fill=colours.PAPER)
    spent = min(month.spent, month.median)
    yield rect((left, rise(max(spent, 0))), (COLUMN, rise(0) - rise(max(spent, 0))), fill=colours.SHARED)
    yield rect((left, rise(max(month.median, 0))), (COLUMN, rise(0) - rise(max(month.median, 0))), stroke=colours.INK,
               width=0.7)  # fmt: skip
    yield rect((x - 1.5, rise(month.high)), (3, rise(month.low) - rise(month.high)), fill=colours.BAR_GREY)
    yield from _plan(month.plan, x, rise)
    if month.words:
        y = min(rise(month.high), rise(month.plan) if month.plan is not None else rise(month.high))
        yield text((x, y - 3.2), month.words, size=6.6, anchor="middle", weight=SEMIBOLD)


def _names(months: Sequence[MonthColumn | MonthAhead], slot: float, foot: float, last: int) -> Iterator[str]:
    for month_number, month in enumerate(months):
        x = LEFT + (month_number + 0.5) * slot
        is_last = month_number == last
        yield text((x, foot + 9), month.letter, size=6.8, anchor="middle", weight=SEMIBOLD if is_last else 400,
                   fill=colours.INK if is_last else colours.TEXT_2)  # fmt: skip
        if month.year:
            if month_number:
                yield line((x - slot / 2, foot + 1), (x - slot / 2, foot + 17), stroke=colours.LINE)
            yield text((x - slot / 2 + 2.5, foot + 17), month.year, size=6.4, fill=colours.TEXT_2)


def _strip(months: Sequence[MonthColumn], slot: float, top: float, unit: str) -> Iterator[str]:
    """Differences from plan as bars on one line, over it more and under it less."""
    zero = top + 14
    most = max(abs(month.difference or 0.0) for month in months) or 1.0
    yield line((LEFT, zero), (LEFT + slot * len(months), zero), width=0.6)
    for month_number, month in enumerate(months):
        if month.difference is None:
            continue
        x, size = LEFT + (month_number + 0.5) * slot, abs(month.difference) / most * 7
        is_more = month.difference > 0
        fill = colours.ATTENTION if is_more else colours.TARGET
        y = zero - size if is_more else zero
        yield rect((x - COLUMN / 2, y), (COLUMN, size), fill=fill)
        at = (x, zero - size - 1.8) if is_more else (x, zero + size + 6)
        weight = SEMIBOLD if month_number == len(months) - 1 else 400
        yield text(at, month.difference_words, size=6.1, anchor="middle", weight=weight)
    x = min(LEFT + slot * len(months) + 5, WIDTH - 7 - text_width(f"under plan, {unit}", 6.6, weight=SEMIBOLD))
    yield triangle((x + 2, zero - 6.4), 4.4, fill=colours.ATTENTION)
    yield text((x + 7, zero - 4), f"over plan, {unit}", size=6.6, fill=colours.ATTENTION, weight=SEMIBOLD)
    yield triangle((x + 2, zero + 3.8), 4.4, fill=colours.TARGET, points="down")
    yield text((x + 7, zero + 6), f"under plan, {unit}", size=6.6, fill=colours.TARGET, weight=SEMIBOLD)
