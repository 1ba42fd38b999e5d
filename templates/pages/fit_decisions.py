"""How much of page 2 one sheet of paper holds: decisions first, then what lost, models at rest, and a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from templates.pages.card import Card
from templates.typesetting.line_count import line_count

# Points below title and lead, less the head of the ranked table, its groups and its sum.
SHEET: Final = {"A4": 444.0, "letter": 394.0}
SECTION: Final = 38.0
LINE: Final = 13.6
CARD_WORDS: Final = 190.0
FIGURE_CARD: Final = 170.0
CARD_FRAME: Final = 46.0
FEWEST: Final = 3
SQUEEZE: Final = 45.0


@dataclass(frozen=True)
class Room:
    """How many of each are printed."""

    rows: int
    cards: int
    rejected: int
    held: int


def room(
    paper: str, squeeze: int, rows: Sequence[float], record: float, cards: Sequence[Card], rejected: int, held: int
) -> Room:
    """What fits below the lead: every decision, a few lines of each table, then a card, then more lines."""
    left, shown = SHEET[paper] - SQUEEZE * squeeze - record, 0
    for height in rows:
        if shown and height > left:
            break
        left, shown = left - height, shown + 1
    few = min(max(rejected, held), FEWEST)
    base = SECTION + few * LINE if few else 0.0
    if left < base:
        return Room(shown, 0, 0, 0)
    left -= base
    height = _card(cards[0]) if cards else 0.0
    carded = int(bool(cards) and height <= left)
    more = int(max(left - (height if carded else 0.0), 0.0) // LINE)
    return Room(shown, carded, min(rejected, few + more), min(held, few + more))


def _card(card: Card) -> float:
    lines = sum(line_count(line.strong + line.rest, CARD_WORDS, 7.2) * 9.4 + 5.3 for line in card.lines)
    return max(FIGURE_CARD, CARD_FRAME + lines)
