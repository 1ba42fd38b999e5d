"""How high the months chart of page 1 may be, so that everything below it keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from templates.pages.decisions_requested import DECISION_WIDTH, OWNER_WIDTH, WHY_WIDTH, Request
from templates.pages.quality_checks import Assurance
from templates.typesetting.line_count import line_count
from templates.typesetting.typeface import SANS, SEMIBOLD

# What the chart shares with the lead, the decisions and the checks; the rest of page 1 never changes its height.
SHARED: Final = {"A4": 345.0, "letter": 295.0}
HIGHEST: Final = {"A4": 152.0, "letter": 110.0}
LOWEST: Final = 64.0
LEAD: Final = (462.0, 9.6, SANS)
LEAD_LINE: Final = 13.6
CHECK_WIDTH: Final = 144.8
CHECKS_ABREAST: Final = 3
NOTE_WIDTH: Final = 504.0
REFERENCE: Final = "K-00"


def chart_height(
    paper: str, lead: str, requests: Sequence[Request], no_action: str, assurances: Sequence[Assurance]
) -> float:
    """Points for the chart of months."""
    lines = [line_count(lead, *LEAD) * LEAD_LINE, _rows(requests), _checks(assurances)]
    note = line_count(no_action, NOTE_WIDTH, 6.8) * 9 if no_action else 0
    return min(HIGHEST[paper], max(LOWEST, SHARED[paper] - sum(lines) - note))


def _rows(requests: Sequence[Request]) -> float:
    """The table of decisions below its head."""
    return sum(10 * _lines(request) + 7.7 for request in requests)


def _lines(request: Request) -> int:
    return max(
        line_count(request.decision, DECISION_WIDTH, 7.6, weight=SEMIBOLD),
        line_count(request.why, WHY_WIDTH, 7.6),
        line_count(request.owner, OWNER_WIDTH, 7.6),
    )


def _checks(assurances: Sequence[Assurance]) -> float:
    """The checks, three abreast."""
    texts = [assurance.words + REFERENCE * len(assurance.refs) for assurance in assurances]
    lines = [line_count(words, CHECK_WIDTH, 7.2) for words in texts]
    rows = [max(lines[place : place + CHECKS_ABREAST]) for place in range(0, len(lines), CHECKS_ABREAST)]
    return sum(9.2 * row + 3.6 for row in rows)
