"""How many lines a text takes before it is laid out, and its first whole words."""

from __future__ import annotations

from typing import Final

from templates.typesetting.typeface import CONDENSED, REGULAR, Family, text_width

SPACE: Final = " "
ELLIPSIS: Final = "…"


def line_count(words: str, width: float, size: float, family: Family = CONDENSED, weight: int = REGULAR) -> int:
    """Lines of a text in a column: words go to the next line, a word wider than the column breaks."""
    lines, used = 1, 0.0
    space = text_width(SPACE, size, family, weight)
    for word in words.split(SPACE):
        wide = text_width(word, size, family, weight)
        is_next = bool(used) and used + space + wide > width
        lines += is_next
        used = wide if is_next or not used else used + space + wide
        lines += int(used // width) if used > width else 0
        used = used % width if used > width else used
    return lines


def shortened(words: str, limit: int) -> str:
    """Words that fit so many characters: all of them, or whole words with an ellipsis after them."""
    if len(words) <= limit:
        return words
    space = words.rfind(SPACE, 0, limit)
    return f"{words[:space].rstrip(',;')}{ELLIPSIS}" if space > 0 else f"{words[: limit - 1]}{ELLIPSIS}"
