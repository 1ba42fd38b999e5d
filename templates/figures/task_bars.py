"""What a model is used for: its largest tasks by share of what serving it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from templates import colours
from templates.figures.panels import WIDTH
from templates.figures.scales import Scale
from templates.svg import figure, line, rect, text
from templates.typesetting.typeface import SEMIBOLD, text_width

LEFT: Final = 76.0
ROOM: Final = 122.0
LEAST_ROW: Final = 19.0
MOST_ROW: Final = 26.0


@dataclass(frozen=True)
class TaskBar:
    """One task: its share, and what an evaluated student achieved on it."""

    name: str
    share: float
    percent: str
    verdict: str
    is_passed: bool
    is_rest: bool


def task_bars(tasks: Sequence[TaskBar], alt: str) -> Markup:
    """Green where a student passed the gate, grey elsewhere; the verdict in words. A short list has wider rows."""
    most = max((task.share for task in tasks), default=1.0) or 1.0
    across = Scale(0, most, LEFT, 150)
    step = min(max(ROOM / max(len(tasks), 1), LEAST_ROW), MOST_ROW)
    foot = 4 + step * len(tasks)
    parts = [line((LEFT, 2), (LEFT, foot), stroke=colours.INK, width=0.9)]
    for row_number, task in enumerate(tasks):
        y = 3 + row_number * step + (step - 11) / 2
        fill = colours.INFERENCE_TEXT if task.is_passed else colours.LINE if task.is_rest else colours.BAR_GREY
        weight = SEMIBOLD if task.is_passed else 400
        end = across(task.share)
        parts.append(text((LEFT - 4, y + 8), task.name, size=6.8, anchor="end", weight=weight))
        parts.append(rect((LEFT + 0.5, y), (max(end - LEFT, 0.6), 11), fill=fill))
        parts.append(text((end + 4, y + 8), task.percent, size=7.2, weight=SEMIBOLD))
        x = end + 8 + text_width(task.percent, 7.2, weight=SEMIBOLD)
        verdict = colours.TARGET if task.is_passed else colours.TEXT_2
        parts.append(text((x, y + 8), task.verdict, size=6.2, fill=verdict))
    return figure((WIDTH, foot + 2), alt, parts)
