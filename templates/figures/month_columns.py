"""Thirteen months as stacked columns with the plan across."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.scales import Scale, apart, round_ticks
from templates.svg import figure, hatch, line, rect, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 504.0
PLOT_LEFT: Final = 20.0
PLOT_RIGHT: Final = 419.0
STACK: Final = ("pretraining", "posttraining", "inference", "rest")
STACK_NAMES: Final = {**colours.NAMES, "rest": "Idle, shared, other", "plan": "Plan"}
FEWEST_COLUMNS: Final = 8


@dataclass(frozen=True)
class MonthColumn:
    """One month: amounts of the stack from below, in the unit of the axis, and the plan."""

    label: str
    year: str
    amounts: tuple[float, ...]
    plan: float | None


def month_columns(months: Sequence[MonthColumn], amounts: Sequence[str], alt: str, height: float) -> Markup:
    """Stacked columns; `amounts` are the printed amounts of the last month, the plan last."""
    tops = [sum(max(value, 0.0) for value in month.amounts) for month in months]
    lows = [sum(min(value, 0.0) for value in month.amounts) for month in months]
    plans = [month.plan for month in months if month.plan is not None]
    ticks = round_ticks(min(0.0, *lows), max([*tops, *plans, 1e-9]))
    rise = Scale(ticks[0], ticks[-1], height - 22, 5)
    slot = (PLOT_RIGHT - PLOT_LEFT) / max(len(months), FEWEST_COLUMNS)
    start = PLOT_RIGHT - slot * len(months)
    parts = [*money_axis(ticks, rise, PLOT_LEFT, PLOT_RIGHT)]
    for place, month in enumerate(months):
        parts += _column(month, start + place * slot, slot, rise)
        parts += _month_label(month, start + (place + 0.5) * slot, height - 13, place == len(months) - 1)
    parts += _labels(months[-1], amounts, rise, height)
    return figure((WIDTH, height), alt, parts)


def _column(month: MonthColumn, x: float, slot: float, rise: Scale) -> Iterator[str]:
    left, width = x + slot * 0.13, slot * 0.74
    above = below = 0.0
    for kind, value in zip(STACK, month.amounts, strict=True):
        low, high = (above, above + value) if value >= 0 else (below + value, below)
        above, below = max(above, high) if value >= 0 else above, below if value >= 0 else low
        box = ((left, rise(high)), (width, max(rise(low) - rise(high) - 0.6, 0.0)))
        yield hatch(*box, ground=colours.PAPER) if kind == "rest" else rect(*box, fill=colours.FILLS[kind])
    if month.plan is not None:
        plan = rise(month.plan)
        yield line((x + slot * 0.04, plan), (x + slot * 0.96, plan), stroke=colours.PAPER, width=2.6)
        yield line((x + slot * 0.04, plan), (x + slot * 0.96, plan), stroke=colours.INK, width=1.3)


def _month_label(month: MonthColumn, x: float, y: float, is_last: bool) -> Iterator[str]:  # noqa: FBT001 - private
    weight = SEMIBOLD if is_last else 400
    yield text((x, y), month.label, size=6.8, fill=colours.INK if is_last else colours.TEXT_2, anchor="middle",
               weight=weight)  # fmt: skip
    if month.year:
        yield text((x, y + 7.6), month.year, size=6.6, fill=colours.TEXT_2, anchor="middle")


def _labels(month: MonthColumn, amounts: Sequence[str], rise: Scale, height: float) -> Iterator[str]:
    middles, below = [], 0.0
    for value in month.amounts:
        middles.append(rise(below + max(value, 0.0) / 2))
        below += max(value, 0.0)
    kinds = [kind for kind, value in zip(STACK, month.amounts, strict=True) if value]
    wanted = [middle for middle, value in zip(middles, month.amounts, strict=True) if value]
    printed = [amount for amount, value in zip(amounts, month.amounts, strict=False) if value]
    if month.plan is not None:
        kinds, wanted, printed = [*kinds, "plan"], [*wanted, rise(month.plan)], [*printed, amounts[-1]]
    for kind, y, amount in zip(kinds, apart(wanted, 9.5, 6, height - 16), printed, strict=True):
        fill = colours.TEXTS.get(kind, colours.INK if kind == "plan" else colours.TEXT_2)
        yield text((PLOT_RIGHT + 4, y + 2.4), STACK_NAMES[kind], size=6.8, fill=fill, weight=SEMIBOLD)
        yield text((WIDTH, y + 2.4), amount, size=6.8, anchor="end")
