"""A share over the months with a dashed yardstick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.scales import Scale
from templates.svg import circle, figure, line, polyline, text
from templates.typesetting.typeface import SEMIBOLD

WIDTH: Final = 226.0
HEIGHT: Final = 92.0
LEFT: Final = 34.0
RIGHT: Final = 192.0


def share_timeline(
    months: Sequence[str], shares: Sequence[float | None], yardstick: float, words: str, alt: str
) -> Markup:
    """Shares from a round floor to 100 %, the last one named."""
    measured_shares = [share for share in shares if share is not None]
    floor = min([0.5, *(int(share * 10) / 10 for share in measured_shares)])
    rise, across = Scale(floor, 1.0, HEIGHT - 16, 8), Scale(0, max(len(months) - 1, 1), LEFT + 6, RIGHT - 6)
    parts = []
    for tick in (floor, (floor + 1) / 2, 1.0):
        parts.append(line((LEFT, rise(tick)), (RIGHT, rise(tick)), stroke=colours.GRID, width=0.5))
        label = f"{tick * 100:.0f}\u00a0%"
        parts.append(text((LEFT - 4, rise(tick) + 2.3), label, size=6.6, fill=colours.TEXT_2, anchor="end"))
    parts.append(line((LEFT, rise(yardstick)), (RIGHT, rise(yardstick)), stroke=colours.TARGET, width=0.8, dash="3 2"))
    points = [(across(month_number), rise(share)) for month_number, share in enumerate(shares) if share is not None]
    parts.append(polyline(points, stroke=colours.INK, width=1.2))
    if points:
        parts.append(circle(points[-1], 2.2, fill=colours.INK))
        parts.append(text((points[-1][0] + 6, points[-1][1] + 2.4), words, size=7.2, weight=SEMIBOLD))
    every = 1 if len(months) <= 7 else 3  # noqa: PLR2004 - as many as fit
    parts += [
        text((across(month_number), HEIGHT - 4), months[month_number], size=6.6, fill=colours.TEXT_2, anchor="middle")
        for month_number in range(len(months) - 1, -1, -every)
    ]
    return figure((WIDTH, HEIGHT), alt, parts)
