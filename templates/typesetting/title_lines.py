"""How a title breaks into two lines of about the same length."""

from __future__ import annotations

from typing import Final

from templates.typesetting.typeface import SEMIBOLD, SERIF, text_width
from templates.wording import unmarked

LINE_WIDTH: Final = 500.0
SIZE: Final = 19.0
FULL_SECOND_LINE: Final = 0.45
LIMIT: Final = 95


def fits(title: str) -> bool:
    """Whether a title is there, short enough, and no more than two lines long."""
    words = title.split(" ")
    return 0 < len(title) <= LIMIT and _width(words[_greedy(words) :]) <= LINE_WIDTH


def broken(title: str) -> str:
    """The title with a line feed where its second line begins, sooner where little would be left for it.

    Marks of the wording take no room.
    """
    words = title.split(" ")
    first = _greedy(words)
    if first == len(words):
        return title
    if _width(words[first:]) >= FULL_SECOND_LINE * LINE_WIDTH:
        return f"{' '.join(words[:first])} \n{' '.join(words[first:])}"
    fitting = range(1, first + 1)
    break_at = min(fitting, key=lambda cut: abs(_width(words[:cut]) - 1.15 * _width(words[cut:])))
    return f"{' '.join(words[:break_at])} \n{' '.join(words[break_at:])}"


def _width(words: list[str]) -> float:
    return text_width(unmarked(" ".join(words)), SIZE, SERIF, SEMIBOLD)


def _greedy(words: list[str]) -> int:
    """How many words fit the first line."""
    return next((cut - 1 for cut in range(1, len(words) + 1) if _width(words[:cut]) > LINE_WIDTH), len(words))
