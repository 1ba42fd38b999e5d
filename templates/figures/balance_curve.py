"""One model's training still to be carried: the balance, what was added, and where it runs to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from templates import colours
from templates.figures.axes import money_axis
from templates.figures.panels import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, time_labels
from templates.figures.scales import Scale, round_ticks
from templates.svg import band, circle, figure, line, polyline, rect, text
from templates.typesetting.typeface import SEMIBOLD

END = 212.0


@dataclass(frozen=True)
class Runoff:
    """What is carried a month from now on, low, median and high, and how many months are left to retirement."""

    slow: float
    pace: float
    fast: float
    months: float | None


def balance_curve(
    months: Sequence[str], balances: Sequence[float], added: Sequence[float], runoff: Runoff | None,
    words: Sequence[str], alt: str,
) -> Markup:  # fmt: skip
    """The balance as a line; `words` say the balance now, the retirement and what is left then."""
    ahead = min(max(12.0 if runoff.months is None else runoff.months, 1.0), 36.0) if runoff else 0.0
    ticks = round_ticks(0.0, max(*balances, *added, 1e-9) * 1.05, 4)
    rise, across = Scale(ticks[0], ticks[-1], BOTTOM, TOP), Scale(0, max(len(balances) - 1 + ahead, 1), LEFT, END)
    parts = [*money_axis(ticks, rise, LEFT, END)]
    parts += _added(added, min(4.0, (END - LEFT) / (len(added) + ahead + 1) * 0.7), across, rise)
    parts += _ahead(balances[-1], runoff, ahead, len(balances) - 1, across, rise) if runoff else []
    points = [(across(month_number), rise(balance)) for month_number, balance in enumerate(balances)]
    parts += [polyline(points, width=1.5), circle(points[-1], 2.0, fill=colours.INK)]
    x, y = points[-1]
    parts.append(_balance((x, y), words[0]))
    parts += _retirement(runoff, len(balances) - 1, across, words) if runoff and runoff.months is not None else []
    parts += time_labels(months, Scale(0, max(len(months) - 1, 1), LEFT, x), 3)
    return figure((WIDTH, HEIGHT), alt, parts)


def _added(added: Sequence[float], width: float, across: Scale, rise: Scale) -> Iterator[str]:
    for month_number, amount in enumerate(added):
        box = ((across(month_number) - width / 2, rise(amount)), (width, BOTTOM - rise(amount)))
        yield rect(*box, fill=colours.BAR_GREY)


def _balance(at: tuple[float, float], words: str) -> str:
    """The balance now, beside its point."""
    x, y = at
    if x > LEFT + 130 and y < BOTTOM - 46:
        return text((x + 2, y + 15), words, size=7.2, anchor="end", weight=SEMIBOLD)
    if x > LEFT + 130:
        return text((x + 6, max(y - 6, TOP + 6)), words, size=7.2, anchor="end", weight=SEMIBOLD)
    return text((x + 4, max(y - 6, TOP + 6)), words, size=7.2, weight=SEMIBOLD)


def _ahead(balance: float, runoff: Runoff, ahead: float, now: int, across: Scale, rise: Scale) -> Iterator[str]:
    def line_of(pace: float) -> list[tuple[float, float]]:
        steps = [*range(math.ceil(ahead)), ahead]
        return [(across(now + step), rise(max(balance - pace * step, 0.0))) for step in steps]

    if runoff.slow != runoff.fast:
        yield band(line_of(runoff.slow), line_of(runoff.fast), fill=colours.FORECAST)
    yield polyline(line_of(runoff.pace), width=1.2, dash="3 2")


def _retirement(runoff: Runoff, now: int, across: Scale, words: Sequence[str]) -> Iterator[str]:
    x = min(across(now + (runoff.months or 0)), END)
    yield line((x, TOP + 10), (x, BOTTOM), stroke=colours.ATTENTION, width=0.7, dash="3 2")
    yield text((x, TOP + 6), words[1], size=6.6, fill=colours.ATTENTION, anchor="end" if x > END - 30 else "middle")
    if words[2]:
        yield text((WIDTH, BOTTOM - 16), words[2], size=6.6, fill=colours.ATTENTION, anchor="end", weight=SEMIBOLD)
        yield text((WIDTH, BOTTOM - 8.5), "write-off", size=6.6, fill=colours.ATTENTION, anchor="end")
