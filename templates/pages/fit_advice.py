"""How much of page 7 one sheet of paper holds: ranked rows first, then cards, then rejected alternatives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from templates.pages.card import Card
from templates.typesetting.line_count import line_count
from templates.typesetting.typeface import SEMIBOLD, text_width

# Points below title and lead, less the head of the ranked table and the line on what is not listed.
SHEET: Final = {"A4": 560.0, "letter": 510.0}
WIDTH: Final = 504.0
ACTION_SHARE: Final = 0.54
RANK_WIDTH: Final = 12.0
PADDING: Final = 6.0
GATE_PADDING: Final = 11.0
CARD_WORDS: Final = 190.0
FIGURE_CARD: Final = 182.0
CARD_FRAME: Final = 52.0
REJECTED_WIDTH: Final = 416.0
REJECTED_HEAD: Final = 50.0
FEWEST_REJECTED: Final = 3
REJECTED_LINE: Final = 12.0


@dataclass(frozen=True)
class Room:
    """How many of each are printed."""

    rows: int
    cards: int
    rejected: int


@dataclass(frozen=True)
class Columns:
    """How wide the columns of the ranked table are: as its amounts need it, the rest for action and gate."""

    amounts: tuple[float, ...]

    @classmethod
    def of(cls, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Columns:
        """Columns of amounts with their heads; every cell is measured as if it were bold."""
        columns = zip(heads, *rows, strict=True)
        return cls(
            tuple(max(text_width(cell, 7.6, weight=SEMIBOLD) for cell in column) + PADDING for column in columns)
        )

    @property
    def action(self) -> float:
        """Width of what to do."""
        return ACTION_SHARE * (WIDTH - RANK_WIDTH - sum(self.amounts))

    @property
    def widths(self) -> tuple[float, ...]:
        """All columns, from the rank to the gate; the last takes what is left."""
        known = (RANK_WIDTH, self.action, *self.amounts)
        return (*known, WIDTH - sum(known))


def room(
    height: float, rows: Iterable[tuple[str, str]], columns: Columns, cards: Iterable[Card], rejected: Iterable[str]
) -> Room:
    """What fits that height of ranked actions with their gates, of cards, and of rejected alternatives."""
    alternatives = [line_count(words, REJECTED_WIDTH, 7.2) * 9.6 + 2.4 for words in rejected]
    kept = REJECTED_HEAD + min(len(alternatives), FEWEST_REJECTED) * REJECTED_LINE if alternatives else 0.0
    left = height - kept
    shown, left = _filled([_row(*row, columns) for row in rows], left)
    carded, left = _filled([_card(card) for card in cards], left)
    listed, _ = _filled(alternatives, left + kept - REJECTED_HEAD)
    return Room(shown, carded, listed)


def _filled(heights: list[float], left: float) -> tuple[int, float]:
    """How many of the first things fit, and what they leave."""
    count = 0
    for height in heights:
        if height > left:
            break
        count, left = count + 1, left - height
    return count, left


def _row(action: str, gate: str, columns: Columns) -> float:
    words = line_count(action, columns.action - PADDING, 7.6, weight=SEMIBOLD) * 10
    return max(words, line_count(gate, columns.widths[-1] - GATE_PADDING, 6.8) * 8.6) + 7.7


def _card(card: Card) -> float:
    lines = sum(line_count(line.strong + line.rest, CARD_WORDS, 7.2) * 9.4 + 5.3 for line in card.lines)
    return max(FIGURE_CARD, CARD_FRAME + lines)
