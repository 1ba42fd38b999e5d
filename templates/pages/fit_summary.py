"""How high the months chart of page 1 may be, so that everything below it keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from templates.pages.decisions_requested import DECISION_WIDTH, OWNER_WIDTH, WHY_WIDTH, Request
from templates.pages.since_last import SinceLast
from templates.typesetting.line_count import line_count
from templates.typesetting.typeface import SANS, SEMIBOLD
from templates.wording import unmarked

# What the chart shares with the lead, the decisions and the news; the rest of page 1 never changes its height.
SHARED: Final = {"A4": 374.0, "letter": 324.0}
HIGHEST: Final = {"A4": 124.0, "letter": 110.0}
LOWEST: Final = 64.0
LEAD: Final = (488.0, 9.6, SANS)
LEAD_LINE: Final = 13.6
COLUMN_WIDTH: Final = 110.0
NOTE_WIDTH: Final = 156.0


def chart_height(paper: str, lead: str, requests: Sequence[Request], notes: Sequence[str], since: SinceLast) -> float:
    """Points for the chart of months."""
    used = line_count(unmarked(lead), *LEAD) * LEAD_LINE + _rows(requests) + _notes(notes) + _news(since)
    return min(HIGHEST[paper], max(LOWEST, SHARED[paper] - used))


def _rows(requests: Sequence[Request]) -> float:
    """The table of decisions below its head, and the line of their sum."""
    return sum(10 * _lines(request) + 6 for request in requests) + (18 if requests else 12)


def _lines(request: Request) -> int:
    return max(
        line_count(request.decision, DECISION_WIDTH, 7.6, weight=SEMIBOLD),
        line_count(request.why, WHY_WIDTH, 7.6),
        line_count(request.owner, OWNER_WIDTH, 7.6),
    )


def _notes(notes: Sequence[str]) -> float:
    return max((line_count(unmarked(words), NOTE_WIDTH, 7.2) * 9.4 for words in notes), default=0.0)


def _news(since: SinceLast) -> float:
    """The highest column of what happened since the last report."""
    heights = [
        sum(line_count(unmarked(item.words), COLUMN_WIDTH, 7.2) * 9.4 + 2 for item in items)
        for _, items in since.columns
    ]
    return max(heights, default=0.0)
